/** One message to many recipients: who works on it, who has been sent to, and how far those messages have come. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import type { SessionEvent } from '../contract/events.ts';
import { insertAccepted } from './accept-message.ts';
import { bulkColumns, bulkRow, countBulks, shownState, toBulk } from './bulk-rows.ts';
import type { BulkLease, BulkStore } from './bulk-store.ts';
import { appendEvents } from './event-log.ts';
import { preparedText } from './media-columns.ts';
import { noRow, violatedConstraint, type Database } from './pool.ts';
import { sessionIdColumn, textOf, timestampOf } from './values.ts';

export function createBulkStore(database: Database, newEventId: () => string): BulkStore {
  return {
    create: async (bulk, recipients) => {
      const rows = recipients.map(({ chat, variables, isDuplicate }, position) => [
        bulk.id,
        position,
        chat,
        Object.keys(variables).length === 0 ? null : textOf(JSON.stringify(variables)),
        isDuplicate ? 'skipped' : 'queued',
      ]);
      try {
        await database.transaction(async (transaction) => {
          await transaction.query(sql.type(noRow)`
            insert into bulks (
              id, session_id, name, status, status_reason, operation, params, prepared, media_until, interval_ms,
              jitter_ms, ttl_ms, start_at, created_at
            ) values (
              ${bulk.id}, ${bulk.session}, ${textOf(bulk.name)}, 'running', 'Messages are being sent.',
              ${bulk.operation}, ${textOf(JSON.stringify(bulk.params))}, ${preparedText(bulk.prepared)},
              to_timestamp(${timestampOf(bulk.mediaUntil)}::float8), ${bulk.intervalMs}, ${bulk.jitterMs}, ${bulk.ttlMs},
              to_timestamp(${timestampOf(bulk.startAt)}), to_timestamp(${timestampOf(bulk.createdAt)})
            )
          `);
          await transaction.query(sql.type(noRow)`
            insert into bulk_recipients (bulk_id, position, chat, variables, state)
            select * from ${sql.unnest(rows, ['text', 'int4', 'text', 'json', 'text'])} as r
          `);
        });
      } catch (error) {
        const isGone = violatedConstraint(error) === 'bulks_session_id_fkey';
        throw isGone ? new WardenError('session_not_found', { cause: error }) : error;
      }
    },
    get: async (session, id) => {
      const row = await database.run((connection) =>
        connection.maybeOne(sql.type(bulkRow)`
          select ${bulkColumns} from bulks where session_id = ${session} and id = ${textOf(id)}
        `),
      );
      return row === null ? null : toBulk(row);
    },
    list: (session, { limit, cursor }) =>
      database.run(async (connection) => {
        const before = cursor === null ? null : parseCursor(cursor);
        const older = before === null ? sql.fragment`true` : sql.fragment`ordinal < ${before}`;
        const rows = await connection.any(sql.type(bulkRow)`
          select ${bulkColumns} from bulks where session_id = ${session} and ${older}
          order by ordinal desc limit ${limit + 1}
        `);
        const total = await countRows(connection, sql.fragment`bulks where session_id = ${session}`);
        const last = rows.length > limit ? rows[limit - 1] : undefined;
        return {
          rows: rows.slice(0, limit).map(toBulk),
          total,
          nextCursor: last === undefined ? null : formatCursor(last.ordinal),
        };
      }),
    countAll: (bulks, now) => database.run((connection) => countBulks(connection, bulks, now)),
    listRecipients: ({ id, session }, { state, limit, cursor }) =>
      database.run(async (connection) => {
        const after = cursor === null ? -1 : parseCursor(cursor);
        const all = sql.fragment`
          bulk_recipients r
          left join messages m on m.session_id = ${session} and m.id = r.message_id and m.from_me
          where r.bulk_id = ${id} and ${state === null ? sql.fragment`true` : sql.fragment`${shownState} = ${state}`}
        `;
        const rows = await connection.any(sql.type(recipientRow)`
          select
            r.position, r.chat, ${shownState} as state, r.message_id as "messageId",
            case when r.state = 'skipped' then 'duplicate' else m.error_code end as code
          from ${all} and r.position > ${after}
          order by r.position limit ${limit + 1}
        `);
        const last = rows.length > limit ? rows[limit - 1] : undefined;
        return {
          rows: rows.slice(0, limit),
          total: await countRows(connection, all),
          nextCursor: last === undefined ? null : formatCursor(last.position),
        };
      }),
    setStatus: (id, status, reason) =>
      changed(
        database,
        sql.fragment`
          update bulks set status = ${status}, status_reason = ${textOf(reason)}, held_until = null, held_reason = null,
            owner = null, lease_until = null
          where id = ${textOf(id)} and status = ${status === 'paused' ? 'running' : 'paused'}
        `,
      ),
    cancel: (id, at, event) =>
      end(database, { id, at, event, newEventId }, async (transaction) => {
        const { rowCount } = await transaction.query(sql.type(noRow)`
          update bulks set status = 'cancelled', status_reason = 'It was cancelled.',
            finished_at = to_timestamp(${timestampOf(at)}), held_until = null, held_reason = null,
            owner = null, lease_until = null
          where id = ${textOf(id)} and status in ('running', 'paused')
        `);
        if (rowCount === 0) return false;
        await transaction.query(sql.type(noRow)`
          update bulk_recipients set state = 'cancelled' where bulk_id = ${textOf(id)} and state = 'queued'
        `);
        return true;
      }),
    listUnowned: (now) =>
      database.run((connection) =>
        connection.any(sql.type(z.object({ id: z.string(), session: sessionIdColumn }))`
          select id, session_id as session from bulks
          where status = 'running' and start_at <= to_timestamp(${timestampOf(now)})
            and (lease_until is null or lease_until < now())
          order by ordinal
        `),
      ),
    hold: async ({ id, owner, leaseMs }) => {
      const row = await database.run((connection) =>
        connection.maybeOne(sql.type(bulkRow)`
          update bulks set owner = ${owner}, lease_until = now() + ${leaseMs} * interval '1 millisecond'
          where id = ${id} and status = 'running' and (owner = ${owner} or lease_until is null or lease_until < now())
          returning ${bulkColumns}
        `),
      );
      return row === null ? null : toBulk(row);
    },
    release: async ({ id, owner }) => {
      await changed(
        database,
        sql.fragment`update bulks set owner = null, lease_until = null where id = ${id} and owner = ${owner}`,
      );
    },
    setHeld: async ({ id, owner }, held) => {
      await changed(
        database,
        sql.fragment`
          update bulks set held_until = to_timestamp(${timestampOf(held?.until ?? null)}::float8),
            held_reason = ${textOf(held?.reason ?? null)}
          where id = ${id} and owner = ${owner} and status = 'running'
        `,
      );
    },
    listQueued: (id, after, limit) =>
      database.run(async (connection) => {
        const rows = await connection.any(sql.type(queuedRow)`
          select position, chat, variables from bulk_recipients
          where bulk_id = ${id} and state = 'queued' and position > ${after}
          order by position limit ${limit}
        `);
        return rows.map((row) => ({ ...row, variables: row.variables ?? {} }));
      }),
    accept: (lease, position, send) =>
      database.transaction(async (transaction) => {
        if (!(await isHeldBy(transaction, lease))) return false;
        const { rowCount } = await transaction.query(sql.type(noRow)`
          update bulk_recipients set state = 'accepted', message_id = ${send.id}
          where bulk_id = ${lease.id} and position = ${position} and state = 'queued'
        `);
        if (rowCount === 0) return false;
        await insertAccepted(transaction, send);
        return true;
      }),
    finish: (lease, at, event) =>
      end(database, { id: lease.id, at, event, newEventId }, async (transaction) => {
        if (!(await isHeldBy(transaction, lease))) return false;
        await transaction.query(sql.type(noRow)`
          update bulks set status = 'finished', status_reason = 'Every recipient was sent to, or failed.',
            finished_at = to_timestamp(${timestampOf(at)}), held_until = null, held_reason = null,
            owner = null, lease_until = null
          where id = ${lease.id}
        `);
        return true;
      }),
    prune: async (before) => {
      await changed(database, sql.fragment`delete from bulks where finished_at < to_timestamp(${timestampOf(before)})`);
    },
  };
}

/** Ends a bulk and tells of it, in one transaction; false when `update` says that it was over. */
async function end(
  database: Database,
  told: {
    readonly id: string;
    readonly at: number;
    readonly event: (counts: Awaited<ReturnType<BulkStore['countAll']>>[number]) => SessionEvent;
    readonly newEventId: () => string;
  },
  update: (transaction: CommonQueryMethods) => Promise<boolean>,
): Promise<boolean> {
  const { id, at, event, newEventId } = told;
  return database.transaction(async (transaction) => {
    // The session's row first, as every transaction that tells of it takes it.
    const session = await transaction.maybeOne(sql.type(z.object({ id: sessionIdColumn }))`
      select s.id from sessions s join bulks b on b.session_id = s.id where b.id = ${textOf(id)} for no key update of s
    `);
    if (session === null || !(await update(transaction))) return false;
    const [counts] = await countBulks(transaction, [{ id, session: session.id }], at);
    if (counts === undefined) return false;
    await appendEvents(transaction, [{ session: session.id, event: event(counts), at }], newEventId);
    return true;
  });
}

async function isHeldBy(transaction: CommonQueryMethods, lease: Pick<BulkLease, 'id' | 'owner'>): Promise<boolean> {
  const held = await transaction.maybeOne(sql.type(z.object({ id: z.string() }))`
    select id from bulks
    where id = ${lease.id} and owner = ${lease.owner} and status = 'running' and lease_until > now()
    for no key update
  `);
  return held !== null;
}

async function changed(database: Database, statement: ReturnType<typeof sql.fragment>): Promise<boolean> {
  const { rowCount } = await database.run((connection) => connection.query(sql.type(noRow)`${statement}`));
  return rowCount > 0;
}

async function countRows(connection: CommonQueryMethods, from: ReturnType<typeof sql.fragment>): Promise<number> {
  const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
    select count(*) as total from ${from}
  `);
  return total;
}

const queuedRow = z.object({
  position: z.number(),
  chat: z.string(),
  variables: z.record(z.string(), z.string()).nullable(),
});

const recipientRow = z.object({
  position: z.number(),
  chat: z.string(),
  state: z.enum(['queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'cancelled', 'skipped']),
  messageId: z.string().nullable(),
  code: z.string().nullable(),
});

const formatCursor = (ordinal: number): string => Buffer.from(`b${ordinal}`).toString('base64url');

function parseCursor(cursor: string): number {
  const [, ordinal] = /^b(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (ordinal !== undefined) return Number(ordinal);
  throw new WardenError('invalid_request', {
    details: [{ field: 'cursor', expected: 'the next_cursor of an earlier answer', received: cursor.slice(0, 40) }],
  });
}
