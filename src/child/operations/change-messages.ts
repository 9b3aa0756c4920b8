/** Edits and deletions. */
import { WardenError } from '../../contract/errors.ts';
import { isGroupJid } from '../../contract/ids.ts';
import type { Params } from '../../contract/index.ts';
import { requireAppState } from '../engine/app-state.ts';
import { editedContent, editOf } from '../engine/editing.ts';
import type { LocalDeletion, OutgoingMessage } from '../engine/outgoing.ts';
import { findTarget, type Target } from '../engine/targets.ts';
import type { SendContext } from './index.ts';

/** WhatsApp's own limit: recipients ignore later edits. */
const editWindowMs = 15 * 60_000;

export async function editMessage(params: Params<'editMessage'>, context: SendContext): Promise<OutgoingMessage> {
  const { to, message_id: id, text } = params;
  const target = await targetOf(params, context);
  if (!target.fromMe) throw new WardenError('message_not_own');
  if (context.clock.now() - target.timestamp > editWindowMs) {
    throw new WardenError('message_too_old', {
      details: [{ field: 'message_id', expected: 'a message of the last 15 minutes', received: id }],
    });
  }
  const edited = editedContent(target.content, text);
  if (edited === null) {
    throw new WardenError('unprocessable', { message: `A message of type ${target.type} has no text to edit.` });
  }
  return { tag: 'message', to, content: { ready: editOf(target.key, edited, context.clock.now()) } };
}

/** For everyone with a message of its own that says so; for this account only by changing what its devices know. */
export async function deleteMessage(
  params: Params<'deleteMessage'>,
  context: SendContext,
): Promise<OutgoingMessage | LocalDeletion> {
  const target = await targetOf(params, context);
  const { key } = target;
  if (!params.for_everyone) {
    requireAppState(context.sock);
    const timestamp = Math.floor(target.timestamp / 1000);
    return {
      tag: 'local_deletion',
      chat: target.chat,
      targetId: params.message_id,
      run: () => context.sock.chatModify({ deleteForMe: { deleteMedia: false, key, timestamp } }, key.remoteJid ?? ''),
    };
  }
  // In groups WhatsApp decides whether this account is an admin.
  if (!target.fromMe && !isGroupJid(target.chat)) throw new WardenError('message_not_own');
  return { tag: 'message', to: params.to, content: { delete: key } };
}

async function targetOf(
  { to, message_id: id }: { readonly to: string; readonly message_id: string },
  context: SendContext,
): Promise<Target> {
  const chat = await context.recipients.resolve(context.sock, to);
  return findTarget(context, { chat, id, field: 'message_id' });
}
