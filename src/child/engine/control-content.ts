/** What the messages say that nobody sees as messages: edits, deletions, reactions, votes. Pure. */
import { normalizeMessageContent, proto } from '@whiskeysockets/baileys';
import type { MessageContent } from './message-content.ts';

export type ControlContent =
  | { readonly tag: 'edit'; readonly targetId: string; readonly content: MessageContent }
  | { readonly tag: 'delete'; readonly targetId: string }
  /** Without emoji the reaction is taken back. */
  | { readonly tag: 'reaction'; readonly targetId: string; readonly emoji: string | null }
  | { readonly tag: 'vote'; readonly pollId: string; readonly vote: EncryptedVote }
  /** The chat's messages disappear after so many seconds from now on; 0 for never. */
  | { readonly tag: 'expiration'; readonly seconds: number }
  | { readonly tag: 'pin' }
  | { readonly tag: 'other' };

export interface EncryptedVote {
  readonly encPayload: Uint8Array;
  readonly encIv: Uint8Array;
}

const { EPHEMERAL_SETTING, MESSAGE_EDIT, REVOKE } = proto.Message.ProtocolMessage.Type;

export function controlOf(message: MessageContent | null | undefined): ControlContent {
  const content = normalizeMessageContent(message);
  if (content?.protocolMessage) return ofProtocolMessage(content.protocolMessage);
  if (content?.reactionMessage?.key?.id) {
    const { key, text } = content.reactionMessage;
    return { tag: 'reaction', targetId: key.id ?? '', emoji: text || null };
  }
  const update = content?.pollUpdateMessage;
  if (update?.pollCreationMessageKey?.id && update.vote?.encPayload && update.vote.encIv) {
    const { encPayload, encIv } = update.vote;
    return { tag: 'vote', pollId: update.pollCreationMessageKey.id, vote: { encPayload, encIv } };
  }
  return content?.pinInChatMessage ? { tag: 'pin' } : { tag: 'other' };
}

function ofProtocolMessage({
  type,
  key,
  editedMessage,
  ephemeralExpiration,
}: proto.Message.IProtocolMessage): ControlContent {
  switch (type) {
    case MESSAGE_EDIT:
      return key?.id && editedMessage
        ? { tag: 'edit', targetId: key.id, content: normalizeMessageContent(editedMessage) ?? editedMessage }
        : { tag: 'other' };
    case REVOKE:
      return key?.id ? { tag: 'delete', targetId: key.id } : { tag: 'other' };
    case EPHEMERAL_SETTING:
      return { tag: 'expiration', seconds: ephemeralExpiration ?? 0 };
    default:
      return { tag: 'other' };
  }
}
