/** Pure: how a message's status moves. */
import type { MessageStatus } from '../contract/ipc.ts';

export const rank = { accepted: 0, sent: 1, delivered: 2, read: 3, played: 4 } as const;

/**
 * Whether a message may move from one status to another: forwards only, and to failed only until somebody has it.
 * Failed is final.
 */
export function canMove(from: MessageStatus, to: MessageStatus): boolean {
  if (from === 'failed') return false;
  if (to === 'failed') return rank[from] <= rank.sent;
  return rank[to] > rank[from];
}

/** The state of one own message within a batch, with the times that the batch adds. */
export interface StatusRow {
  readonly session: string;
  readonly id: string;
  readonly status: MessageStatus;
  readonly errorCode: string | null;
  /** Unix milliseconds of each status that the batch reached. */
  readonly reachedAt: Readonly<Partial<Record<MessageStatus, number>>>;
}

/** The row after it moved, or null when it may not. */
export function moveStatus(
  row: StatusRow,
  to: { readonly status: MessageStatus; readonly at: number; readonly errorCode: string | null },
): StatusRow | null {
  if (!canMove(row.status, to.status)) return null;
  return {
    ...row,
    status: to.status,
    errorCode: to.status === 'failed' ? to.errorCode : row.errorCode,
    reachedAt: { ...row.reachedAt, [to.status]: to.at },
  };
}

/**
 * Whether a status that changed no row is still told: only for messages that the store does not know, written on the
 * phone before it was linked, and only that somebody received or read them.
 */
export function isToldOfUnknown(status: MessageStatus): boolean {
  return status === 'delivered' || status === 'read' || status === 'played';
}
