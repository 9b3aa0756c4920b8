/** Pure. What a bulk tells. */
import type { SessionEvent } from '../contract/events.ts';
import type { BulkCounts, BulkRow } from '../store/bulk-store.ts';

export function bulkEvent(
  name: 'bulk_progress' | 'bulk_finished',
  bulk: Pick<BulkRow, 'id' | 'name'> & { readonly status: string },
  counts: BulkCounts,
): SessionEvent {
  const { lastMinute: _, ...told } = counts;
  return { name, data: { bulk_id: bulk.id, name: bulk.name, status: bulk.status, ...told } };
}
