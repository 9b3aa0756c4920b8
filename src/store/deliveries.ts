/** Deliveries as people look at them, one by one and as a log, with the attempts made. */
import { encodeTime } from 'ulid';
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { insertDeliveries, writeEvents } from './event-log.ts';
import { keyCursor } from './key-cursor.ts';
import { openTargets, targetColumns, targetRow } from './outbox.ts';
import { noRow, type Database } from './pool.ts';
import { pruneDeadDeliveries, pruneEvents } from './pruning.ts';
import { createMissed, replayAll, replayOne } from './replays.ts';
import { textOf } from './values.ts';
import type { Vault } from './vault.ts';
import type { DeliveriesStore, DeliveryFilter, DeliveryRow, WebhookKey } from './webhook-records.ts';

/** In a list; a delivery by itself comes with all that are kept. */
const attemptsInList = 10;
const allAttempts = 1_000;

export function createDeliveriesStore(database: Database, vault: Vault, newEventId: () => string): DeliveriesStore {
  return {
    list: (key, { limit, cursor, ...filter }) =>
      database.run(async (connection) => {
        await requireWebhook(connection, key);
        const conditions = conditionsOf(key, filter);
        const older = cursor === null ? sql.fragment`true` : sql.fragment`d.event_id < ${cursors.parse(cursor)}`;
        const rows = await connection.any(sql.type(deliveryRow)`
          with page as materialized (
            select d.id ${deliveryTables} where ${conditions} and ${older} order by d.event_id desc limit ${limit + 1}
          )
          select ${deliveryColumns(attemptsInList)}
          from page p join deliveries d on d.id = p.id join webhooks w on w.id = d.webhook_id
          join events e on e.id = d.event_id
          order by d.event_id desc
        `);
        const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
          select count(*) as total ${deliveryTables} where ${conditions}
        `);
        const page = rows.slice(0, limit);
        const last = rows.length > limit ? page.at(-1) : undefined;
        return { rows: page, total, nextCursor: last === undefined ? null : cursors.format(last.eventId) };
      }),
    get: (key, eventId) =>
      database.run(async (connection) => {
        await requireWebhook(connection, key);
        return connection.maybeOne(sql.type(deliveryRow.extend({ data: z.unknown() }))`
          select ${deliveryColumns(allAttempts)}, e.data ${deliveryTables} join events e on e.id = d.event_id
          where ${conditionsOf(key, noFilter)} and d.event_id = ${textOf(eventId)}
        `);
      }),
    replay: (key, eventId) =>
      database.transaction(async (transaction) => {
        await requireWebhook(transaction, key);
        return replayOne(transaction, key.webhook, eventId);
      }),
    replayAll: async (key, { status, from, to }) => {
      await database.run((connection) => requireWebhook(connection, key));
      return replayAll(database, { webhook: key.webhook, status, ...boundsOf({ from, to }) });
    },
    createMissed: async (key, range) => {
      await database.run((connection) => requireWebhook(connection, key));
      return createMissed(database, { ...key, ...boundsOf(range) });
    },
    createOnly: ({ session, webhook }, event, { at, leaseMs }) =>
      database.transaction(async (transaction) => {
        const sealed = await transaction.maybeOne(sql.type(targetRow)`
          select ${targetColumns} from webhooks w where w.session_id = ${session} and w.id = ${textOf(webhook)}
          for key share
        `);
        const [target] = sealed === null ? [] : await openTargets(transaction, vault, [sealed]);
        if (sealed === null) return null;
        if (target === undefined || target === null) {
          throw new WardenError('internal_error', { message: 'the secret of a webhook does not open' });
        }
        const [written] = await writeEvents(transaction, [{ session, event, at }], newEventId);
        if (written === undefined) return null;
        await insertDeliveries(transaction, [{ webhook, event: written, lane: null }]);
        const { id } = await transaction.one(sql.type(z.object({ id: z.number() }))`
          update deliveries set lease_until = now() + ${leaseMs} * interval '1 millisecond'
          where webhook_id = ${webhook} and event_id = ${written.id} returning id
        `);
        const { id: eventId, sequence } = written;
        return {
          id: String(id),
          webhook: target,
          attempts: 0,
          scheduleOffset: 0,
          isDue: true,
          isLaned: false,
          isCrowded: false,
          event: { id: eventId, name: event.name, session, sequence, at, data: event.data },
        };
      }),
    pruneDead: (before) => database.transaction((transaction) => pruneDeadDeliveries(transaction, before)),
    pruneEvents: (before, after) =>
      database.run((connection) => pruneEvents(connection, { before: eventIdAt(before), after: after ?? '' })),
  };
}

async function requireWebhook(connection: CommonQueryMethods, { session, webhook }: WebhookKey): Promise<void> {
  const { rowCount } = await connection.query(sql.type(noRow)`
    select from webhooks where session_id = ${session} and id = ${textOf(webhook)}
  `);
  if (rowCount === 0) throw new WardenError('webhook_not_found');
}

/** Ids of events begin with the time at which they were written: below this one are those from before the instant. */
const eventIdAt = (unixMs: number): string => `evt_${encodeTime(Math.max(0, Math.floor(unixMs)), 10)}`;

function boundsOf({ from, to }: Pick<DeliveryFilter, 'from' | 'to'>) {
  return { from: from === null ? null : eventIdAt(from), to: to === null ? null : eventIdAt(to) };
}

const cursors = keyCursor('d', /^evt_[0-9A-Z]{26}$/);
const noFilter: DeliveryFilter = { status: null, event: null, from: null, to: null };

function conditionsOf({ session, webhook }: WebhookKey, { status, event, ...range }: DeliveryFilter) {
  const { from, to } = boundsOf(range);
  return sql.join(
    [
      sql.fragment`w.session_id = ${session} and d.webhook_id = ${textOf(webhook)}`,
      ...(status === null ? [] : [sql.fragment`${shownStatus} = ${status}`]),
      ...(event === null
        ? []
        : [sql.fragment`exists (select from events e where e.id = d.event_id and e.name = ${event})`]),
      ...(from === null ? [] : [sql.fragment`d.event_id >= ${from}`]),
      ...(to === null ? [] : [sql.fragment`d.event_id < ${to}`]),
    ],
    sql.fragment` and `,
  );
}

const deliveryTables = sql.fragment`from deliveries d join webhooks w on w.id = d.webhook_id`;

const shownStatus = sql.fragment`case when d.status = 'pending' and not w.enabled then 'held' else d.status end`;

const deliveryColumns = (attempts: number) => sql.fragment`
  d.event_id as "eventId", e.name, d.sequence, e.at as "eventAt", ${shownStatus} as status, d.created_at as "createdAt",
  d.attempts as "attemptCount", case when d.status = 'pending' then d.due_at end as "dueAt",
  d.settled_at as "settledAt", (
    select coalesce(json_agg(json_build_object(
      'number', a.number, 'at', (extract(epoch from a.at) * 1000)::float8, 'durationMs', a.duration_ms,
      'httpStatus', a.http_status, 'error', a.error, 'excerpt', a.excerpt
    ) order by a.number), '[]'::json)
    from (select * from attempts a where a.delivery_id = d.id order by a.number desc limit ${attempts}) a
  ) as attempts
`;

const deliveryRow = z.object({
  eventId: z.string(),
  name: z.string(),
  sequence: z.number(),
  eventAt: z.number(),
  status: z.enum(['pending', 'delivered', 'dead', 'held']),
  createdAt: z.number(),
  attemptCount: z.number(),
  dueAt: z.number().nullable(),
  settledAt: z.number().nullable(),
  attempts: z.array(
    z.object({
      number: z.number(),
      at: z.number(),
      durationMs: z.number(),
      httpStatus: z.number().nullable(),
      error: z.string().nullable(),
      excerpt: z.string().nullable(),
    }),
  ),
}) satisfies z.ZodType<DeliveryRow>;
