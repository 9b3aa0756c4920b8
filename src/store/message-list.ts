/** Messages as people look for them: pages of them, one with its timeline, and chats. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { locationColumn } from './media-columns.ts';
import type { ChatRow, MessageFilter, MessageRow, Page, PageRequest } from './store.ts';
import { textOf } from './values.ts';

/** Newest first; throws `invalid_request` for a cursor that is not ours. */
export async function listMessages(
  connection: CommonQueryMethods,
  session: string,
  { chat, direction, search, limit, cursor }: MessageFilter & PageRequest,
): Promise<Page<MessageRow>> {
  const conditions = [
    sql.fragment`session_id = ${session} and is_shown`,
    ...(chat === null ? [] : [sql.fragment`chat = any (${sql.array([...chat], 'text')})`]),
    ...(direction === null ? [] : [sql.fragment`from_me = ${direction === 'out'}`]),
    ...(search === null ? [] : [sql.fragment`body ilike ${likePattern(search)}`]),
  ];
  const all = sql.join(conditions, sql.fragment` and `);
  const before = cursor === null ? null : parseCursor(cursor);
  const older =
    before === null
      ? sql.fragment`true`
      : sql.fragment`(at, ordinal) < (to_timestamp(${before.at / 1000}), ${Number(before.key)}::bigint)`;
  const rows = await connection.any(sql.type(messageRow)`
    select ${columns} from messages where ${all} and ${older} order by at desc, ordinal desc limit ${limit + 1}
  `);
  const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
    select count(*) as total from messages where ${all}
  `);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    rows: page,
    total,
    nextCursor: last === undefined ? null : formatCursor(last.at, String(last.ordinal)),
  };
}

/** By id alone; an own message wins over a received one of the same id. */
export function findMessage(connection: CommonQueryMethods, session: string, id: string): Promise<MessageRow | null> {
  return connection.maybeOne(sql.type(messageRow)`
    select ${columns} from messages where session_id = ${session} and id = ${textOf(id)}
    order by from_me desc, ordinal desc limit 1
  `);
}

/** The chat with the latest message first. One statement: the counts come from an index alone. */
export async function listChats(
  connection: CommonQueryMethods,
  session: string,
  { limit, cursor }: PageRequest,
): Promise<Page<ChatRow>> {
  const before = cursor === null ? null : parseCursor(cursor);
  const older =
    before === null
      ? sql.fragment`true`
      : sql.fragment`(c.last_at, c.chat) < (to_timestamp(${before.at / 1000}), ${before.key})`;
  const rows = await connection.any(sql.type(chatRow)`
    with chats as materialized (
      select chat, count(*) as message_count, max(at) as last_at from messages
      where session_id = ${session} and is_shown group by chat
    ), page as (
      select * from chats c where ${older} order by c.last_at desc, c.chat desc limit ${limit + 1}
    )
    select p.message_count as "messageCount", (select count(*) from chats) as total, m.*
    from page p cross join lateral (
      select ${columns} from messages
      where session_id = ${session} and is_shown and chat = p.chat order by at desc, ordinal desc limit 1
    ) m
    order by p.last_at desc, p.chat desc
  `);
  const total = rows[0]?.total ?? (cursor === null ? 0 : await countChats(connection, session));
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    rows: page.map(({ messageCount, ...lastMessage }) => ({ messageCount, lastMessage })),
    total,
    nextCursor: last === undefined ? null : formatCursor(last.at, last.chat),
  };
}

/** When each of the sessions had its latest message; one look into an index for each. */
export async function latestMessages(
  connection: CommonQueryMethods,
  sessions: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await connection.any(sql.type(z.object({ session: z.string(), at: z.number() }))`
    select s.session, m.at from unnest(${sql.array([...sessions], 'text')}) as s (session) cross join lateral (
      select at from messages where session_id = s.session and is_shown order by at desc, ordinal desc limit 1
    ) m
  `);
  return new Map(rows.map(({ session, at }) => [session, at]));
}

async function countChats(connection: CommonQueryMethods, session: string): Promise<number> {
  const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
    select count(distinct chat) as total from messages where session_id = ${session} and is_shown
  `);
  return total;
}

/** What was asked for says what a message will hold before a child has built it. */
const columns = sql.fragment`
  ordinal, id, chat, sender, from_me as "fromMe", type, operation,
  coalesce(body, params ->> 'text', params ->> 'caption') as body, at, status, error_code as "errorCode",
  edited_at as "editedAt", deleted_at as "deletedAt", sent_at as "sentAt", delivered_at as "deliveredAt",
  read_at as "readAt", played_at as "playedAt", failed_at as "failedAt", media
`;

const messageRow = z.object({
  ordinal: z.number(),
  id: z.string(),
  chat: z.string(),
  sender: z.string().nullable(),
  fromMe: z.boolean(),
  type: z.string().nullable(),
  operation: z.string().nullable(),
  body: z.string().nullable(),
  at: z.number(),
  status: z.enum(['accepted', 'sent', 'delivered', 'read', 'played', 'failed']),
  errorCode: z.string().nullable(),
  editedAt: z.number().nullable(),
  deletedAt: z.number().nullable(),
  sentAt: z.number().nullable(),
  deliveredAt: z.number().nullable(),
  readAt: z.number().nullable(),
  playedAt: z.number().nullable(),
  failedAt: z.number().nullable(),
  media: locationColumn.nullable(),
});

const chatRow = messageRow.extend({ messageCount: z.number(), total: z.number() });

/** Wildcards of `ilike` in what somebody looks for stand for themselves. */
const likePattern = (search: string): string => `%${textOf(search).replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;

/** Where a page ends: a time in unix milliseconds, and what orders rows of the same time. */
const formatCursor = (at: number, key: string): string => Buffer.from(`m${at}.${key}`).toString('base64url');

function parseCursor(cursor: string): { readonly at: number; readonly key: string } {
  const [, at, key] =
    /^m(-?\d{1,15}(?:\.\d{1,3})?)\.(.{1,150})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at !== undefined && key !== undefined) return { at: Number(at), key };
  throw new WardenError('invalid_request', {
    details: [{ field: 'cursor', expected: 'the next_cursor of an earlier answer', received: cursor.slice(0, 40) }],
  });
}
