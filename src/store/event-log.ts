/** Numbers events, writes them and creates the deliveries that webhooks want of them. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { SessionEvent } from '../contract/events.ts';
import { noRow } from './pool.ts';
import { textOf, timestampOf } from './values.ts';

/** The channel on which the dispatcher hears of new deliveries. */
export const deliveriesChannel = 'warden_deliveries';

export interface NewEvent {
  readonly session: string;
  readonly event: SessionEvent;
  /** Unix milliseconds. */
  readonly at: number;
}

/**
 * Writes events in the order given, within the caller's transaction. Whoever calls holds the rows of their sessions:
 * that is what makes sequences gapless and ids grow with them.
 */
export async function appendEvents(
  transaction: CommonQueryMethods,
  events: readonly NewEvent[],
  newEventId: () => string,
): Promise<void> {
  if (events.length === 0) return;
  const counts = new Map<string, number>();
  for (const { session } of events) counts.set(session, (counts.get(session) ?? 0) + 1);
  const raised = await transaction.any(sql.type(z.object({ id: z.string(), event_sequence: z.number() }))`
    update sessions s set event_sequence = s.event_sequence + c.count
    from ${sql.unnest([...counts], ['text', 'int8'])} as c (id, count)
    where s.id = c.id
    returning s.id, s.event_sequence
  `);
  const next = new Map(raised.map((row) => [row.id, row.event_sequence - (counts.get(row.id) ?? 0) + 1]));
  const rows = events.flatMap(({ session, event, at }) => {
    const sequence = next.get(session);
    if (sequence === undefined) return [];
    next.set(session, sequence + 1);
    return [[newEventId(), session, sequence, event.name, timestampOf(at), textOf(JSON.stringify(event.data))]];
  });
  await transaction.query(sql.type(noRow)`
    insert into events (id, session_id, sequence, name, at, data)
    select id, session_id, sequence, name, to_timestamp(at), data
    from ${sql.unnest(rows, ['text', 'text', 'int8', 'text', 'float8', 'json'])}
      as e (id, session_id, sequence, name, at, data)
  `);
  const created = await transaction.query(sql.type(noRow)`
    insert into deliveries (webhook_id, event_id)
    select w.id, e.id
    from ${sql.unnest(
      rows.map((row) => row.slice(0, 4)),
      ['text', 'text', 'int8', 'text'],
    )} with ordinality as e (id, session_id, sequence, name, ordinal)
    join webhooks w on w.session_id = e.session_id and w.enabled and (e.name = any (w.events) or 'all' = any (w.events))
    order by e.ordinal
  `);
  if (created.rowCount > 0) {
    await transaction.query(sql.type(z.object({ pg_notify: z.unknown() }))`
      select pg_notify(${deliveriesChannel}, '')::text
    `);
  }
}
