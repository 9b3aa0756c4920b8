/** Numbers events, writes them and creates the deliveries that webhooks want of them. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { SessionEvent } from '../contract/events.ts';
import type { Origin } from '../contract/ipc.ts';
import { laneOf } from './event-facts.ts';
import { lockLanes } from './lanes.ts';
import type { Channel } from './notification-listener.ts';
import { noRow } from './pool.ts';
import { textOf, timestampOf } from './values.ts';
import { conditionsColumn } from './webhook-columns.ts';
import { isWanted } from './webhook-match.ts';

/** The channel on which the dispatcher hears that deliveries are due. */
const deliveriesChannel: Channel = 'warden_deliveries';

export interface NewEvent {
  readonly session: string;
  readonly event: SessionEvent;
  /** Unix milliseconds. */
  readonly at: number;
  /** Whose request it follows from, where that is known. */
  readonly origin?: Origin;
}

/** An event that is written, with its number. */
export interface WrittenEvent extends NewEvent {
  readonly id: string;
  readonly sequence: number;
}

/** A delivery to be created; without a lane it waits for no other. */
export interface NewDelivery {
  readonly webhook: string;
  readonly event: Pick<WrittenEvent, 'id' | 'sequence'>;
  readonly lane: string | null;
}

/**
 * Writes events in the order given and creates their deliveries, within the caller's transaction. Whoever calls holds
 * the rows of their sessions: that is what makes sequences gapless and ids grow with them. From here to its end, the
 * transaction is the only one that writes events: that is what makes positions grow in the order of commits.
 */
export async function appendEvents(
  transaction: CommonQueryMethods,
  events: readonly NewEvent[],
  newEventId: () => string,
): Promise<void> {
  const written = await writeEvents(transaction, events, newEventId);
  if (written.length === 0) return;
  const webhooks = await subscriptions(transaction, [...new Set(written.map(({ session }) => session))]);
  const deliveries = written.flatMap((each) =>
    webhooks
      .filter((webhook) => webhook.session === each.session && isWanted(webhook, each.event))
      .map(({ id, ordered }) => ({ webhook: id, event: each, lane: ordered ? laneOf(each.event) : null })),
  );
  if (deliveries.length === 0) return;
  await insertDeliveries(transaction, deliveries);
  await announceDeliveries(transaction);
}

/** Numbers and writes events; those of sessions that are gone are left out. */
export async function writeEvents(
  transaction: CommonQueryMethods,
  events: readonly NewEvent[],
  newEventId: () => string,
): Promise<readonly WrittenEvent[]> {
  if (events.length === 0) return [];
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
  const written = events.flatMap((event) => {
    const sequence = next.get(event.session);
    if (sequence === undefined) return [];
    next.set(event.session, sequence + 1);
    position += 1;
    return [{ ...event, id: newEventId(), sequence, position }];
  });
  const rows = written.map(({ id, session, sequence, event: { name, data }, at, position, origin }) => [
    id,
    session,
    sequence,
    name,
    timestampOf(at),
    textOf(JSON.stringify(data)),
    position,
    ...originColumns(origin),
  ]);
  await transaction.query(sql.type(noRow)`
    insert into events (id, session_id, sequence, name, at, data, position, request_id, traceparent)
    select id, session_id, sequence, name, to_timestamp(at), data, position, request_id, traceparent
    from ${sql.unnest(rows, ['text', 'text', 'int8', 'text', 'float8', 'json', 'int8', 'text', 'text'])}
      as e (id, session_id, sequence, name, at, data, position, request_id, traceparent)
  `);
  return written;
}

/** The columns request_id and traceparent of an event. */
export function originColumns(origin: Origin | undefined): readonly [string | null, string | null] {
  return [matching(origin?.requestId, /^[\w.-]{1,64}$/), matching(origin?.traceparent, /^[0-9a-f-]{55}$/)];
}

/** Children tell it, and one that was broken into may tell anything. */
const matching = (text: string | null | undefined, form: RegExp): string | null =>
  text !== null && text !== undefined && form.test(text) ? text : null;

const subscription = z.object({
  id: z.string(),
  session: z.string(),
  events: z.array(z.string()),
  conditions: conditionsColumn,
  ordered: z.boolean(),
});

/** What webhooks want; the lock keeps them from being deleted before their deliveries are committed. */
function subscriptions(transaction: CommonQueryMethods, sessions: readonly string[]) {
  return transaction.any(sql.type(subscription)`
    select id, session_id as session, events, conditions, ordered from webhooks
    where session_id = any (${sql.array(sessions, 'text')}) and enabled
    order by id for key share
  `);
}

/** Creates deliveries in the order given; answers how many there had not been before. */
export async function insertDeliveries(
  transaction: CommonQueryMethods,
  deliveries: readonly NewDelivery[],
): Promise<number> {
  const laned = deliveries.filter(({ lane }) => lane !== null).map(({ webhook }) => webhook);
  if (laned.length > 0) await lockLanes(transaction, laned, 'share');
  const { rowCount } = await transaction.query(sql.type(noRow)`
    insert into deliveries (webhook_id, event_id, sequence, lane, blocked)
    select d.webhook_id, d.event_id, d.sequence, d.lane, d.lane is not null and (
      row_number() over (partition by d.webhook_id, d.lane order by d.sequence) > 1 or exists (
        select from deliveries h
        where h.webhook_id = d.webhook_id and h.lane = d.lane and h.status = 'pending' and h.sequence < d.sequence
      )
    )
    from ${sql.unnest(
      deliveries.map(({ webhook, event, lane }) => [webhook, event.id, event.sequence, textOf(lane)]),
      ['text', 'text', 'int8', 'text'],
    )} with ordinality as d (webhook_id, event_id, sequence, lane, ordinal)
    order by d.ordinal
    on conflict (webhook_id, event_id) do nothing
  `);
  return rowCount;
}

/** Wakes the dispatchers of all gateways when the transaction is committed. */
export async function announceDeliveries(connection: CommonQueryMethods): Promise<void> {
  await connection.query(sql.type(z.object({ pg_notify: z.unknown() }))`
    select pg_notify(${deliveriesChannel}, '')::text
  `);
}

const raisedRow = z.object({ id: z.string(), event_sequence: z.number(), stream_position: z.number() });
