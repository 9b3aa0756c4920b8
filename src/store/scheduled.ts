/** Scheduled messages, and how they become accepted ones when they are due. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { withNamedConflicts } from './accept-message.ts';
import { acceptedSend } from './accepted-row.ts';
import { preparedText } from './media-columns.ts';
import { noRow, type Database } from './pool.ts';
import type { ScheduledRow, ScheduledSend, ScheduledStore } from './scheduled-store.ts';
import type { Page, PageRequest } from './store.ts';
import { sessionIdColumn, textOf, timestampOf } from './values.ts';

export function createScheduledStore(database: Database): ScheduledStore {
  return {
    add: (send) => withNamedConflicts(() => database.run((connection) => insertScheduled(connection, send))),
    list: (session, page) => database.run((connection) => listPage(connection, session, page)),
    find: (session, id) =>
      database.run((connection) =>
        connection.maybeOne(sql.type(scheduledRow)`
          select ${columns} from scheduled_messages where session_id = ${session} and id = ${textOf(id)}
        `),
      ),
    move: (session, id, dueAt) =>
      database.run((connection) =>
        connection.maybeOne(sql.type(scheduledRow)`
          update scheduled_messages set due_at = to_timestamp(${timestampOf(dueAt)})
          where session_id = ${session} and id = ${textOf(id)}
          returning ${columns}
        `),
      ),
    cancel: async (session, id) => {
      const cancelled = await database.run((connection) =>
        connection.maybeOne(sql.type(z.object({ path: z.string().nullable() }))`
          delete from scheduled_messages where session_id = ${session} and id = ${textOf(id)}
          returning prepared #>> '{source,path}' as path
        `),
      );
      return cancelled ?? 'gone';
    },
    release: ({ now, ttlMs, owned, limit }) =>
      database.run((connection) => {
        const hosted = sql.unnest(
          owned.map(({ session, epoch }) => [session, epoch]),
          ['text', 'int8'],
        );
        // A conflict is a message of the same id that was accepted in the same moment: recipients would see one of both.
        return connection.any(sql.type(acceptedSend)`
          with due as (
            select s.session_id, s.id from scheduled_messages s
            join sessions x on x.id = s.session_id
            left join ${hosted} as o (session_id, epoch) on o.session_id = s.session_id and o.epoch = x.epoch
            where s.due_at <= to_timestamp(${timestampOf(now)}) and (
              o.epoch is not null or x.desired = 'stopped' or s.due_at <= to_timestamp(${timestampOf(now - ttlMs)})
            )
            order by s.due_at, s.ordinal limit ${limit} for update of s skip locked
          ), taken as (
            delete from scheduled_messages s using due d where s.session_id = d.session_id and s.id = d.id
            returning s.*
          ), accepted as (
            insert into messages (session_id, id, chat, from_me, at, status, operation, params, expires_at, prepared)
            select session_id, id, chat, true, to_timestamp(${timestampOf(now)}), 'accepted', operation, params,
              due_at + ${ttlMs / 1000} * interval '1 second', prepared
            from taken order by due_at, ordinal
            on conflict do nothing
            returning ordinal, session_id, id, operation, params, chat, at, expires_at, prepared
          )
          select session_id as session, id, operation, params, chat, at as "acceptedAt", expires_at as "expiresAt",
            prepared as media
          from accepted order by ordinal
        `);
      }),
    nextDueAt: async () => {
      const { next } = await database.run((connection) =>
        connection.one(sql.type(z.object({ next: z.number().nullable() }))`
          select min(due_at) as next from scheduled_messages
        `),
      );
      return next;
    },
    listWaitingSessions: async () => {
      const rows = await database.run((connection) =>
        connection.any(sql.type(z.object({ session: sessionIdColumn }))`
          select distinct session_id as session from messages where status = 'accepted' and operation is not null
        `),
      );
      return rows.map(({ session }) => session);
    },
  };
}

/** Throws `message_id_taken` for the id of a message that the session has sent; one that is scheduled violates the key. */
export async function insertScheduled(connection: CommonQueryMethods, send: ScheduledSend): Promise<void> {
  const { rowCount } = await connection.query(sql.type(noRow)`
    insert into scheduled_messages (session_id, id, chat, operation, params, prepared, created_at, due_at)
    select ${send.session}::text, ${send.id}::text, ${send.chat}::text, ${send.operation}::text,
      ${textOf(JSON.stringify(send.params ?? null))}::json, ${preparedText(send.media)}::json,
      to_timestamp(${timestampOf(send.acceptedAt)}), to_timestamp(${timestampOf(send.dueAt)})
    where not exists (select from messages where session_id = ${send.session} and id = ${send.id} and from_me)
  `);
  if (rowCount === 0) throw new WardenError('message_id_taken');
}

async function listPage(
  connection: CommonQueryMethods,
  session: string,
  { limit, cursor }: PageRequest,
): Promise<Page<ScheduledRow>> {
  const after = cursor === null ? null : parseCursor(cursor);
  const later =
    after === null
      ? sql.fragment`true`
      : sql.fragment`(due_at, ordinal) > (to_timestamp(${after.dueAt / 1000}), ${after.ordinal}::bigint)`;
  const rows = await connection.any(sql.type(scheduledRow)`
    select ${columns} from scheduled_messages where session_id = ${session} and ${later}
    order by due_at, ordinal limit ${limit + 1}
  `);
  const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
    select count(*) as total from scheduled_messages where session_id = ${session}
  `);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return { rows: page, total, nextCursor: last === undefined ? null : formatCursor(last) };
}

const columns = sql.fragment`
  ordinal, id, chat, operation, coalesce(params ->> 'text', params ->> 'caption') as body,
  case when prepared is null then null else json_build_object(
    'mimetype', prepared ->> 'mimetype', 'bytes', prepared -> 'bytes', 'fileName', prepared ->> 'fileName'
  ) end as media,
  created_at as "createdAt", due_at as "dueAt"
`;

const scheduledRow = z.object({
  ordinal: z.number(),
  id: z.string(),
  chat: z.string(),
  operation: z.string(),
  body: z.string().nullable(),
  media: z.object({ mimetype: z.string(), bytes: z.number(), fileName: z.string().nullable() }).nullable(),
  createdAt: z.number(),
  dueAt: z.number(),
});

const formatCursor = ({ dueAt, ordinal }: ScheduledRow): string =>
  Buffer.from(`d${dueAt}.${ordinal}`).toString('base64url');

function parseCursor(cursor: string): { readonly dueAt: number; readonly ordinal: number } {
  const [, dueAt, ordinal] = /^d(\d{1,15})\.(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (dueAt !== undefined && ordinal !== undefined) return { dueAt: Number(dueAt), ordinal: Number(ordinal) };
  throw new WardenError('invalid_request', {
    details: [{ field: 'cursor', expected: 'the next_cursor of an earlier answer', received: cursor.slice(0, 40) }],
  });
}
