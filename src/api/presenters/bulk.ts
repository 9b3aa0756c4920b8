/** What leaves the process of a bulk. Pure. */
import { estimatedEnd, shownStatus } from '../../bulk/bulk-progress.ts';
import type { Result } from '../../contract/index.ts';
import { bulkSends } from '../../contract/operations/bulk.ts';
import type { BulkCounts, BulkRecipientRow, BulkRow } from '../../store/bulk-store.ts';
import type { SessionView } from '../supervisor-port.ts';
import { unixSecondsOf } from './session.ts';

const types = new Map<string, string>(Object.entries(bulkSends).map(([type, operation]) => [operation, type]));
const secondsUntil = (ms: number | null): number | null => (ms === null ? null : Math.ceil(ms / 1000));

interface BulkFacts {
  readonly counts: BulkCounts;
  readonly view: Pick<SessionView, 'status' | 'statusReason'>;
  readonly now: number;
}

export function presentBulk(bulk: BulkRow, { counts, view, now }: BulkFacts): Result<'getBulk'> {
  const { lastMinute, ...rest } = counts;
  const status = shownStatus(bulk, now);
  const isStuck = status === 'running' && view.status !== 'connected';
  return {
    bulk_id: bulk.id,
    name: bulk.name,
    type: types.get(bulk.operation) ?? 'text',
    status,
    status_reason: isStuck ? `It waits for the session to be connected. ${view.statusReason}` : reasonOf(bulk, status),
    counts: rest,
    per_minute: lastMinute,
    estimated_end: isStuck ? null : secondsUntil(estimatedEnd(bulk, counts, now)),
    held_until: secondsUntil(bulk.held?.until ?? null),
    held_reason: bulk.held?.reason ?? null,
    interval_ms: bulk.intervalMs,
    jitter_ms: bulk.jitterMs,
    start_at: unixSecondsOf(bulk.startAt),
    created_at: unixSecondsOf(bulk.createdAt),
    finished_at: bulk.finishedAt === null ? null : unixSecondsOf(bulk.finishedAt),
  };
}

function reasonOf(bulk: BulkRow, status: Result<'getBulk'>['status']): string {
  if (status === 'scheduled') return 'Its time to start has not come yet.';
  return bulk.held?.reason ?? bulk.statusReason;
}

export function presentRecipient(row: BulkRecipientRow): Result<'listBulkRecipients'>['recipients'][number] {
  return { index: row.position, to: row.chat, state: row.state, message_id: row.messageId, code: row.code };
}
