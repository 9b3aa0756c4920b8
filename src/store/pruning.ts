/** Deletes what is too old, in batches that do not keep anybody waiting. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { freeLanes, lockLanes } from './lanes.ts';
import { noRow } from './pool.ts';
import { timestampOf } from './values.ts';

const rowsPerBatch = 2_000;

/** Deletes messages that are older than the instant given and on their way no more; answers whether more are left. */
export async function pruneMessages(connection: CommonQueryMethods, before: number): Promise<boolean> {
  const { rowCount } = await connection.query(sql.type(noRow)`
    delete from messages where ordinal in (
      select ordinal from messages
      where at < to_timestamp(${timestampOf(before)}) and status <> 'accepted'
      order by at limit ${rowsPerBatch}
    )
  `);
  return rowCount >= rowsPerBatch;
}

/** The same for what WhatsApp will not repeat any more. */
export async function pruneMemory(connection: CommonQueryMethods, before: number): Promise<boolean> {
  const instant = sql.fragment`to_timestamp(${timestampOf(before)})`;
  const told = await connection.query(sql.type(noRow)`
    delete from told_once where (session_id, id) in (
      select session_id, id from told_once where at < ${instant} order by at limit ${rowsPerBatch}
    )
  `);
  const pending = await connection.query(sql.type(noRow)`
    delete from pending_changes where ordinal in (
      select ordinal from pending_changes where at < ${instant} order by at limit ${rowsPerBatch}
    )
  `);
  return told.rowCount >= rowsPerBatch || pending.rowCount >= rowsPerBatch;
}

/** The same, within the caller's transaction, for dead deliveries and for those that wait for a webhook that is disabled. */
export async function pruneDeadDeliveries(transaction: CommonQueryMethods, before: number): Promise<boolean> {
  const instant = sql.fragment`to_timestamp(${timestampOf(before)})`;
  const dead = await transaction.query(sql.type(noRow)`
    delete from deliveries where id in (
      select id from deliveries where status = 'dead' and settled_at < ${instant} order by settled_at limit ${rowsPerBatch}
    )
  `);
  const disabled = await transaction.any(sql.type(z.object({ id: z.string() }))`
    select w.id from webhooks w where not w.enabled and exists (
      select from deliveries d where d.webhook_id = w.id and d.status = 'pending' and d.created_at < ${instant}
    )
  `);
  if (disabled.length === 0) return dead.rowCount >= rowsPerBatch;
  const ids = disabled.map(({ id }) => id);
  await lockLanes(transaction, ids, 'exclusive');
  const held = await transaction.any(sql.type(z.object({ webhook: z.string(), lane: z.string().nullable() }))`
    delete from deliveries where id in (
      select d.id from deliveries d
      where d.webhook_id = any (${sql.array(ids, 'text')}) and d.status = 'pending' and d.created_at < ${instant}
      limit ${rowsPerBatch}
    ) returning webhook_id as webhook, lane
  `);
  await freeLanes(
    transaction,
    held.flatMap(({ webhook, lane }) => (lane === null ? [] : [{ webhook, lane }])),
  );
  return dead.rowCount >= rowsPerBatch || held.length >= rowsPerBatch;
}

/**
 * Deletes events whose ids lie between two others, and with them what was delivered of them; an event that a delivery
 * still needs stays. Looks at one batch, and answers the id after which the next one begins; null when there is none.
 */
export async function pruneEvents(
  connection: CommonQueryMethods,
  { before, after }: { readonly before: string; readonly after: string },
): Promise<string | null> {
  const { last, count } = await connection.one(
    sql.type(z.object({ last: z.string().nullable(), count: z.number() }))`
      with batch as (
        select id from events where id > ${after} and id < ${before} order by id limit ${rowsPerBatch}
      ), deleted as (
        delete from events e using batch b
        where e.id = b.id and not exists (
          select from deliveries d where d.event_id = e.id and d.status in ('pending', 'dead')
        )
      )
      select max(id) as last, count(*) as count from batch
    `,
  );
  return count < rowsPerBatch ? null : last;
}
