/** What is attached to messages: reactions, pins, stars, and that they were read. */
import type { Params, Result } from '../../contract/index.ts';
import { requireAppState } from '../engine/app-state.ts';
import type { WAMessageKey } from '../engine/link-socket.ts';
import type { OutgoingMessage } from '../engine/outgoing.ts';
import { markRead } from '../engine/read-receipts.ts';
import { findMessage, findTarget, type Target } from '../engine/targets.ts';
import type { ChildContext, SendContext } from './index.ts';

/** Reactions and pins do not disappear with the chat's messages. */
const permanent = { ephemeralSeconds: 0 } as const;

export async function reactToMessage(params: Params<'reactToMessage'>, context: SendContext): Promise<OutgoingMessage> {
  const { key } = await targetOf(params, context);
  return { tag: 'message', to: params.to, content: { react: { text: params.emoji, key } }, ...permanent };
}

export async function pinMessage(params: Params<'pinMessage'>, context: SendContext): Promise<OutgoingMessage> {
  const { to, pinned, duration_seconds: time } = params;
  const { key } = await targetOf(params, context);
  // PinInChat.Type of the WhatsApp protobuf.
  return { tag: 'message', to, content: { pin: key, type: pinned ? 1 : 2, time }, ...permanent };
}

export async function starMessage(
  params: Params<'starMessage'>,
  context: ChildContext,
): Promise<Result<'starMessage'>> {
  const { key } = await targetOf(params, context);
  requireAppState(context.sock);
  const messages = [{ id: params.message_id, fromMe: key.fromMe === true }];
  await context.sock.chatModify({ star: { messages, star: params.starred } }, key.remoteJid ?? '');
  return { success: true, message: params.starred ? 'Message starred.' : 'Star removed.' };
}

/** Nothing is told of own messages, which nobody has to read. */
export async function readMessages(
  params: Params<'readMessages'>,
  context: ChildContext,
): Promise<Result<'readMessages'>> {
  const chat = await context.recipients.resolve(context.sock, params.chat);
  const keys: WAMessageKey[] = [];
  for (const id of params.message_ids) {
    const { known, key } = await findMessage(context, { chat, id, field: 'message_ids' });
    if (!known.fromMe) keys.push(key);
  }
  await markRead(context.sock, keys, context.limits.queryTimeoutMs);
  return { success: true, message: 'Marked as read.' };
}

async function targetOf(
  { to, message_id: id }: { readonly to: string; readonly message_id: string },
  context: ChildContext,
): Promise<Target> {
  const chat = await context.recipients.resolve(context.sock, to);
  return findTarget(context, { chat, id, field: 'message_id' });
}
