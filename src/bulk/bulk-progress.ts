/** Pure. How far a bulk is, and when it may be done. Times are unix milliseconds. */
import type { BulkCounts, BulkRow } from '../store/bulk-store.ts';

export type ShownStatus = 'scheduled' | BulkRow['status'];

export function shownStatus({ status, startAt }: Pick<BulkRow, 'status' | 'startAt'>, now: number): ShownStatus {
  return status === 'running' && startAt > now ? 'scheduled' : status;
}

/** From what the last minute has shown, else from the pace that was asked for. New-chat limits can make it later. */
export function estimatedEnd(
  bulk: Pick<BulkRow, 'status' | 'startAt' | 'intervalMs' | 'jitterMs' | 'held'>,
  { queued, lastMinute }: Pick<BulkCounts, 'queued' | 'lastMinute'>,
  now: number,
): number | null {
  if (bulk.status !== 'running') return null;
  const begins = Math.max(now, bulk.startAt, bulk.held?.until ?? 0);
  const askedMs = bulk.intervalMs + bulk.jitterMs / 2;
  const spacingMs = lastMinute > 1 ? Math.max(60_000 / lastMinute, askedMs) : askedMs;
  return begins + queued * spacingMs;
}

/** Whether nothing more becomes of it: what WhatsApp has is sent, whoever may still read it. */
export const isThrough = ({ queued, sending }: Pick<BulkCounts, 'queued' | 'sending'>): boolean =>
  queued === 0 && sending === 0;

/** Whether people would see a difference. */
export function differs(a: BulkCounts | null, b: BulkCounts): boolean {
  if (a === null) return true;
  const { lastMinute: _a, ...before } = a;
  const { lastMinute: _b, ...after } = b;
  return JSON.stringify(before) !== JSON.stringify(after);
}
