/** From the library's status updates to receipts: pure. */
import type { RecordItem } from '../../contract/ipc.ts';
import type { WAMessageUpdate } from '../engine/link-socket.ts';

export interface ReceiptFacts {
  readonly messageId: string;
  /** The device that sent the receipt, in whatever form WhatsApp gave. */
  readonly from: string;
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
    const seconds = Number(update.messageTimestamp ?? 0);
    return [{ messageId: key.id, from: key.remoteJid, status, at: seconds > 0 ? seconds * 1000 : now }];
  });
}

/** One item per sender and status; `from` is the resolved address. */
export function receiptItem(ids: readonly string[], receipt: ReceiptFacts, from: string): RecordItem {
  return {
    tag: 'status',
    ids,
    status: receipt.status,
    at: receipt.at,
    errorCode: null,
    event: {
      name: 'receipt',
      data: {
        message_ids: [...ids],
        chat: from,
        from,
        status: receipt.status,
        timestamp: Math.floor(receipt.at / 1000),
      },
    },
  };
}
