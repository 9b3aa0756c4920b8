/** From WhatsApp's word on a message of ours to what is recorded: pure. */
import type { Origin, RecordItem } from '../../contract/ipc.ts';
import { controlOf } from '../engine/control-content.ts';
import type { AckOutcome, SentMessage } from '../engine/sending.ts';
import { changeItem, type Author } from './changes.ts';

/**
 * What a sent change does to its target comes first: with the status alone recorded, a child that dies in between would
 * leave it undone.
 */
export function ackItems(sent: SentMessage, ack: AckOutcome, own: Author): readonly RecordItem[] {
  const { messageId, chat, type } = sent;
  const status = { tag: 'status', ids: [messageId], at: ack.at, errorCode: ack.code } as const;
  if (ack.tag === 'refused') {
    const reason = `WhatsApp refused the message (${ack.code}).`;
    const data = { message_id: messageId, chat, code: ack.code, reason };
    return [{ ...status, status: 'failed', event: { name: 'message_failed', data } }];
  }
  const control = sent.content === null ? null : controlOf(sent.content);
  const change =
    control?.tag === 'edit' || control?.tag === 'delete'
      ? [changeItem({ control, chat, author: own, fromMe: null, changeId: messageId, at: ack.at, inboxId: null })]
      : [];
  return [
    ...change,
    {
      tag: 'event',
      event: {
        name: 'message_sent',
        data: { message_id: messageId, chat, type, timestamp: Math.floor(ack.at / 1000) },
      },
      at: ack.at,
      onceId: `sent:${messageId}`,
    },
    { ...status, status: 'sent', event: null },
  ];
}

/** A message that was deleted for this account only; WhatsApp has nothing to acknowledge. */
export function localDeletionItems(deletion: {
  readonly messageId: string;
  readonly chat: string;
  readonly targetId: string;
  readonly own: Author;
  readonly at: number;
}): readonly RecordItem[] {
  const { messageId, chat, targetId, own, at } = deletion;
  return [
    {
      tag: 'change',
      change: 'deleted',
      scope: 'account',
      targetId,
      chat,
      by: own.jid,
      byLid: own.lid,
      at,
      proto: null,
      body: null,
      event: null,
      inboxId: null,
      changeId: messageId,
    },
    { tag: 'status', ids: [messageId], status: 'sent', at, errorCode: null, event: null },
  ];
}

/** What follows from a request carries whose it was into the events that are told of it. */
export const withOrigin = (item: RecordItem, origin: Origin): RecordItem =>
  item.tag === 'event' || item.tag === 'status' ? { ...item, origin } : item;
