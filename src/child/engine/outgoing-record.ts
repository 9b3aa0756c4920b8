import type { WAMessage } from '@whiskeysockets/baileys';
import type { MessageRecord } from '../../contract/ipc.ts';
import { controlOf } from './control-content.ts';
import { bodyOf, describeContent, encodeContent, type MessageContent } from './message-content.ts';
import { mediaLocationOf } from './media-location.ts';
import { writeValue } from './values.ts';

/** What the store keeps of a message that is about to go out; `now` in unix milliseconds. */
export function recordOf(
  built: WAMessage,
  { chat, sender, now }: { readonly chat: string; readonly sender: string; readonly now: number },
): MessageRecord {
  const content = built.message ?? {};
  const { type, body } = headOf(content);
  return {
    id: built.key.id ?? '',
    chat,
    sender,
    fromMe: true,
    type,
    timestamp: now,
    body,
    proto: encodeContent(content),
    key: writeValue(built.key),
    media: mediaLocationOf(content),
  };
}

/** Type and text of anything that can be sent; that of a change or a reaction is what it says. */
function headOf(content: MessageContent): { readonly type: string; readonly body: string | null } {
  const control = controlOf(content);
  switch (control.tag) {
    case 'edit':
      return { type: 'edit', body: bodyOf(control.content) };
    case 'delete':
      return { type: 'delete', body: null };
    case 'reaction':
      return { type: 'reaction', body: control.emoji };
    case 'pin':
      return { type: 'pin', body: null };
    default: {
      const { type, text, caption } = describeContent(content);
      return { type, body: text ?? caption };
    }
  }
}
