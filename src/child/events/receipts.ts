/** From receipts to what is recorded: pure. */
import type { SessionEvent } from '../../contract/events.ts';
import type { RecordItem } from '../../contract/ipc.ts';

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
