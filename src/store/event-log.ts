/** Numbers events, writes them and creates the deliveries that webhooks want of them. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { SessionEvent } from '../contract/events.ts';
import type { Channel } from './notification-listener.ts';
import { noRow } from './pool.ts';
import { textOf, timestampOf } from './values.ts';

const deliveriesChannel: Channel = 'warden_deliveries';

export interface NewEvent {
  readonly session: string;
  readonly event: SessionEvent;
  /** Unix milliseconds. */
  readonly at: number;
}

/**
 * Writes events in the order given, within the caller's transaction. Whoever calls holds the rows of their sessions:
 * that is what makes sequences gapless and ids grow with them. From here to its end, the transaction is the only one that
 * writes events: that is what makes positions grow in the order of commits.
 */
export async function appendEvents(
  transaction: CommonQueryMethods,
  events: readonly NewEvent[],
  newEventId: () => string,
): Promise<void> {
  if (events.length === 0) return;
  const counts = new Map<string, number>();
  for (const { session } of events) counts.set(session, (counts.get(session) ?? 0) + 1);
  const raised = await transaction.any(sql.type(raisedRow)`
    with stream as (update event_stream set position = position + ${events.length} returning position)
    update sessions s set event_sequence = s.event_sequence + c.count
    from ${sql.unnest([...counts], ['text', 'int8'])} as c (id, count)
    where s.id = c.id
    returning s.id, s.event_sequence, (select position from stream) as stream_position
  `);
  const next = new Map(raised.map((row) => [row.id, row.event_sequence - (counts.get(row.id) ?? 0) + 1]));
  let position = (raised[0]?.stream_position ?? 0) - events.length;
  const rows = events.flatMap(({ session, event, at }) => {
    const sequence = next.get(session);
    if (sequence === undefined) return [];
    next.set(session, sequence + 1);
    position += 1;
    const data = textOf(JSON.stringify(event.data));
    return [[newEventId(), session, sequence, event.name, timestampOf(at), data, position]];
  });
  await transaction.query(sql.type(noRow)`
    insert into events (id, session_id, sequence, name, at, data, position)
    select id, session_id, sequence, name, to_timestamp(at), data, position
    from ${sql.unnest(rows, ['text', 'text', 'int8', 'text', 'float8', 'json', 'int8'])}
      as e (id, session_id, sequence, name, at, data, position)
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

const raisedRow = z.object({ id: z.string(), event_sequence: z.number(), stream_position: z.number() });
