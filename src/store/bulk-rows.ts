/** How bulks are read: their columns, and how far each recipient's message has come. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { BulkCounts, BulkRow } from './bulk-store.ts';
import { preparedColumn } from './media-columns.ts';
import { sessionIdColumn, timestampOf } from './values.ts';

export const bulkColumns = sql.fragment`
  ordinal, id, session_id as session, name, operation, params, prepared, media_until as "mediaUntil",
  interval_ms as "intervalMs", jitter_ms as "jitterMs", ttl_ms as "ttlMs", start_at as "startAt",
  created_at as "createdAt", status, status_reason as "statusReason", finished_at as "finishedAt",
  held_until as "heldUntil", held_reason as "heldReason"
`;

export const bulkRow = z.object({
  ordinal: z.number(),
  id: z.string(),
  session: sessionIdColumn,
  name: z.string().nullable(),
  operation: z.string(),
  params: z.record(z.string(), z.unknown()),
  prepared: preparedColumn.nullable(),
  mediaUntil: z.number().nullable(),
  intervalMs: z.number(),
  jitterMs: z.number(),
  ttlMs: z.number(),
  startAt: z.number(),
  createdAt: z.number(),
  status: z.enum(['running', 'paused', 'cancelled', 'finished']),
  statusReason: z.string(),
  finishedAt: z.number().nullable(),
  heldUntil: z.number().nullable(),
  heldReason: z.string().nullable(),
});

export function toBulk(found: z.output<typeof bulkRow>): BulkRow {
  const { ordinal: _, heldUntil, heldReason, ...row } = found;
  return { ...row, held: heldUntil === null || heldReason === null ? null : { until: heldUntil, reason: heldReason } };
}

/** Of a recipient `r` and its message `m`; a message that was pruned had been sent long ago. */
export const shownState = sql.fragment`
  case when r.state <> 'accepted' then r.state
    when m.status = 'accepted' then 'sending'
    when m.status = 'played' then 'read'
    else coalesce(m.status, 'sent')
  end
`;

const counted = z.object({
  id: z.string(),
  total: z.number(),
  lastMinute: z.number(),
  queued: z.number(),
  sending: z.number(),
  sent: z.number(),
  delivered: z.number(),
  read: z.number(),
  failed: z.number(),
  cancelled: z.number(),
  skipped: z.number(),
});

const none: BulkCounts = {
  total: 0,
  lastMinute: 0,
  queued: 0,
  sending: 0,
  sent: 0,
  delivered: 0,
  read: 0,
  failed: 0,
  cancelled: 0,
  skipped: 0,
};

/** In the order given. */
export async function countBulks(
  connection: CommonQueryMethods,
  bulks: readonly Pick<BulkRow, 'id' | 'session'>[],
  now: number,
): Promise<readonly BulkCounts[]> {
  if (bulks.length === 0) return [];
  const rows = await connection.any(sql.type(counted)`
    select
      bulk_id as id, count(*) as total,
      count(*) filter (where at > to_timestamp(${timestampOf(now - 60_000)})) as "lastMinute",
      count(*) filter (where state = 'queued') as queued, count(*) filter (where state = 'sending') as sending,
      count(*) filter (where state = 'sent') as sent, count(*) filter (where state = 'delivered') as delivered,
      count(*) filter (where state = 'read') as read, count(*) filter (where state = 'failed') as failed,
      count(*) filter (where state = 'cancelled') as cancelled, count(*) filter (where state = 'skipped') as skipped
    from (
      select r.bulk_id, ${shownState} as state, m.at
      from ${sql.unnest(
        bulks.map(({ id, session }) => [id, session]),
        ['text', 'text'],
      )} as b (id, session_id)
      join bulk_recipients r on r.bulk_id = b.id
      left join messages m on m.session_id = b.session_id and m.id = r.message_id and m.from_me
    ) as recipients
    group by bulk_id
  `);
  const found = new Map(rows.map(({ id, ...counts }) => [id, counts]));
  return bulks.map(({ id }) => found.get(id) ?? none);
}
