/** Sends again what was settled, and for the first time what a webhook has missed. Ids and contents stay as they were. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { SessionId } from '../contract/ids.ts';
import { laneOf } from './event-facts.ts';
import { announceDeliveries, insertDeliveries } from './event-log.ts';
import { lockLanes } from './lanes.ts';
import { noRow, type Database } from './pool.ts';
import { textOf } from './values.ts';
import { conditionsColumn } from './webhook-columns.ts';
import type { ReplayFilter } from './webhook-records.ts';
import { isWanted } from './webhook-match.ts';

const rowsPerBatch = 1_000;
const testEvent = 'test';

/** Of event ids; null is open. `to` is exclusive. */
interface Bounds {
  readonly from: string | null;
  readonly to: string | null;
}

/** Answers whether there is such a delivery. One that is pending becomes due at once. */
export async function replayOne(transaction: CommonQueryMethods, webhook: string, eventId: string): Promise<boolean> {
  await lockLanes(transaction, [webhook], 'exclusive');
  const { rowCount } = await transaction.query(sql.type(noRow)`
    update deliveries set due_at = now()
    where webhook_id = ${webhook} and event_id = ${textOf(eventId)} and status = 'pending'
  `);
  const again = rowCount > 0 ? 0 : await reopen(transaction, webhook, sql.fragment`c.event_id = ${textOf(eventId)}`);
  if (rowCount + again === 0) return false;
  await announceDeliveries(transaction);
  return true;
}

/** In batches, so that attempts under way are not kept waiting; answers how many. */
export async function replayAll(
  database: Database,
  filter: Bounds & Pick<ReplayFilter, 'status'> & { readonly webhook: string },
): Promise<number> {
  const { webhook, status, from, to } = filter;
  // What ends again meanwhile is not sent a third time.
  const { now } = await database.run((connection) =>
    connection.one(sql.type(z.object({ now: z.number() }))`select now() as now`),
  );
  let count = 0;
  for (;;) {
    const replayed = await database.transaction(async (transaction) => {
      await lockLanes(transaction, [webhook], 'exclusive');
      const found = await reopen(
        transaction,
        webhook,
        sql.fragment`
          ${status === 'all' ? sql.fragment`c.status in ('dead', 'delivered')` : sql.fragment`c.status = ${status}`}
          and (${from}::text is null or c.event_id >= ${from}) and (${to}::text is null or c.event_id < ${to})
          and c.settled_at <= to_timestamp(${now / 1_000}::float8)
          and not exists (select from events e where e.id = c.event_id and e.name = ${testEvent})
        `,
      );
      if (found > 0) await announceDeliveries(transaction);
      return found;
    });
    count += replayed;
    if (replayed < rowsPerBatch) return count;
  }
}

/** Settled deliveries `c` that a condition finds become pending, the oldest first; in a lane they stand behind older ones. */
async function reopen(
  transaction: CommonQueryMethods,
  webhook: string,
  condition: ReturnType<typeof sql.fragment>,
): Promise<number> {
  const { rowCount } = await transaction.query(sql.type(noRow)`
    with chosen as (
      select c.id, c.lane, c.sequence from deliveries c
      where c.webhook_id = ${webhook} and c.status <> 'pending' and ${condition}
      order by c.event_id limit ${rowsPerBatch}
    ), placed as (
      select id, lane is not null and (
        row_number() over (partition by lane order by sequence) > 1 or exists (
          select from deliveries h
          where h.webhook_id = ${webhook} and h.lane = chosen.lane and h.status = 'pending'
            and h.sequence < chosen.sequence
        )
      ) as blocked
      from chosen
    )
    update deliveries d set status = 'pending', blocked = placed.blocked, due_at = now(), settled_at = null,
      lease_until = null, schedule_offset = d.attempts
    from placed where d.id = placed.id
  `);
  return rowCount;
}

const missedEvent = z.object({ id: z.string(), sequence: z.number(), name: z.string(), data: z.looseObject({}) });
const subscription = z.object({ events: z.array(z.string()), conditions: conditionsColumn, ordered: z.boolean() });

/** Walks the session's events within the bounds, and creates the deliveries that the webhook would have had. */
export async function createMissed(
  database: Database,
  { session, webhook, from, to }: Bounds & { readonly session: SessionId; readonly webhook: string },
): Promise<number> {
  let count = 0;
  let after = 0;
  for (;;) {
    const events = await database.transaction(async (transaction) => {
      const wanted = await transaction.maybeOne(sql.type(subscription)`
        select events, conditions, ordered from webhooks where session_id = ${session} and id = ${webhook} for key share
      `);
      if (wanted === null) return [];
      const found = await transaction.any(sql.type(missedEvent)`
        select e.id, e.sequence, e.name, e.data from events e
        where e.session_id = ${session} and e.sequence > ${after} and e.name <> ${testEvent}
          and (${from}::text is null or e.id >= ${from}) and (${to}::text is null or e.id < ${to})
          and not exists (select from deliveries d where d.webhook_id = ${webhook} and d.event_id = e.id)
        order by e.sequence limit ${rowsPerBatch}
      `);
      const missed = found
        .filter((event) => isWanted(wanted, event))
        .map((event) => ({ webhook, event, lane: wanted.ordered ? laneOf(event) : null }));
      if (missed.length > 0) {
        count += await insertDeliveries(transaction, missed);
        await announceDeliveries(transaction);
      }
      return found;
    });
    const last = events.at(-1);
    if (last === undefined || events.length < rowsPerBatch) return count;
    after = last.sequence;
  }
}
