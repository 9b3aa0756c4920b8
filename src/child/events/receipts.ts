/** From the library's status updates to receipts: pure. */
import type { SessionEvent } from '../../contract/events.ts';
import { isGroupJid } from '../../contract/ids.ts';
import type { RecordItem } from '../../contract/ipc.ts';
import type { MessageUserReceiptUpdate, WAMessageUpdate } from '../engine/link-socket.ts';

export interface ReceiptFacts {
  readonly messageId: string;
  /** The device that sent the receipt, in whatever form WhatsApp gave. */
  readonly from: string;
  /** The group; null in chats of two. */
  readonly group: string | null;
  readonly status: 'delivered' | 'read' | 'played';
  /** Unix milliseconds. */
  readonly at: number;
}

/** WebMessageInfo.Status of the WhatsApp protobuf. */
const statusNames: Readonly<Record<number, ReceiptFacts['status']>> = { 3: 'delivered', 4: 'read', 5: 'played' };

/** The receipts among updates; the key carries the address of whoever sent the receipt, so only the id identifies. */
export function receiptsOf(updates: readonly WAMessageUpdate[], now: number): readonly ReceiptFacts[] {
  return updates.flatMap(({ key, update }) => {
    const status = statusNames[update.status ?? -1];
    if (status === undefined || key.fromMe !== true || !key.id || !key.remoteJid) return [];
    const at = timeOf(update.messageTimestamp, now);
    return [{ messageId: key.id, from: key.remoteJid, group: null, status, at }];
  });
}

/** The receipts of members of groups; whether something was played or read, the library does not tell. */
export function memberReceiptsOf(updates: readonly MessageUserReceiptUpdate[], now: number): readonly ReceiptFacts[] {
  return updates.flatMap(({ key, receipt }) => {
    const { id, remoteJid } = key;
    if (key.fromMe !== true || !id || !remoteJid || !isGroupJid(remoteJid) || !receipt.userJid) return [];
    const { readTimestamp, receiptTimestamp } = receipt;
    const isRead = readTimestamp !== undefined && readTimestamp !== null;
    const at = timeOf(isRead ? readTimestamp : receiptTimestamp, now);
    const status = isRead ? ('read' as const) : ('delivered' as const);
    return [{ messageId: id, from: receipt.userJid, group: remoteJid, status, at }];
  });
}

/**
 * What receipts of one sender and status change and tell; `from` is the resolved address. In groups everybody's receipt
 * is told, and the message's own status follows the first.
 */
export function receiptItems(ids: readonly string[], receipt: ReceiptFacts, from: string): readonly RecordItem[] {
  const { group, status, at } = receipt;
  const eventOf = (messageIds: readonly string[]): SessionEvent => ({
    name: 'receipt',
    data: { message_ids: [...messageIds], chat: group ?? from, from, status, timestamp: Math.floor(at / 1000) },
  });
  const moved = { tag: 'status', ids, status, at, errorCode: null } as const;
  if (group === null) return [{ ...moved, event: eventOf(ids) }];
  return [
    { ...moved, event: null },
    ...ids.map(
      (id) => ({ tag: 'event', event: eventOf([id]), at, onceId: `receipt:${id}:${from}:${status}` }) as const,
    ),
  ];
}

function timeOf(seconds: unknown, now: number): number {
  const value = Number(seconds ?? 0);
  return value > 0 ? value * 1000 : now;
}
