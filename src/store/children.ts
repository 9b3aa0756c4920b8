/** Restart records: why processes of sessions ended, and when the sessions came back. */
import { sql } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { noRow, type Database } from './pool.ts';
import type { ChildExitRow, ChildrenStore } from './store.ts';
import { sessionIdColumn, textOf, timestampOf } from './values.ts';

const keptPerSession = 200;

export function createChildrenStore(database: Database): ChildrenStore {
  return {
    add: (session, exit) =>
      database.transaction(async (transaction) => {
        const { culprits } = exit;
        // A session that was deleted meanwhile has no history to keep.
        await transaction.query(sql.type(noRow)`
          insert into child_exits (
            session_id, at, cause, detail, pid, code, signal, uptime_ms, memory_cap_bytes, memory, growth, stderr,
            action, delay_ms, culprits, moved_to_own_child
          )
          select id, to_timestamp(${timestampOf(exit.at)}), ${exit.cause}, ${textOf(exit.detail)}, ${exit.pid}::integer,
            ${exit.code}::integer, ${exit.signal}::text, ${Math.round(exit.uptimeMs)}::bigint,
            ${Math.round(exit.memoryCapBytes)}::bigint, ${JSON.stringify(exit.memory)}::json, ${exit.growth}::text,
            ${textOf(exit.stderr)}, ${exit.action}, ${exit.delayMs}::bigint,
            ${culprits === null ? null : JSON.stringify(culprits)}::json, ${exit.movedToOwnChild}
          from sessions where id = ${session}
        `);
        await transaction.query(sql.type(noRow)`
          delete from child_exits where session_id = ${session} and ordinal <= (
            select ordinal from child_exits where session_id = ${session}
            order by ordinal desc offset ${keptPerSession} limit 1
          )
        `);
      }),
    cameBack: async (session, at) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update child_exits set back_at = to_timestamp(${timestampOf(at)})
          where session_id = ${session} and back_at is null and at <= to_timestamp(${timestampOf(at)})
        `),
      );
    },
    list: (session, { limit, cursor }) =>
      database.run(async (connection) => {
        const before = cursor === null ? Number.MAX_SAFE_INTEGER : parseCursor(cursor);
        const rows = await connection.any(sql.type(exitRow)`
          select ${columns} from child_exits where session_id = ${session} and ordinal < ${before}
          order by ordinal desc limit ${limit + 1}
        `);
        const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
          select count(*) as total from child_exits where session_id = ${session}
        `);
        const page = rows.slice(0, limit);
        const last = rows.length > limit ? page.at(-1) : undefined;
        return { rows: page.map(toExit), total, nextCursor: last === undefined ? null : formatCursor(last.ordinal) };
      }),
    listRecent: (limit) =>
      database.run(async (connection) => {
        const rows = await connection.any(sql.type(exitRow.extend({ session: sessionIdColumn }))`
          select ${columns}, session_id as session from child_exits
          where action <> 'stopped' order by ordinal desc limit ${limit}
        `);
        return rows.map((row) => ({ ...toExit(row), session: row.session }));
      }),
  };
}

const columns = sql.fragment`
  ordinal, at, cause, detail, pid, code, signal, uptime_ms, memory_cap_bytes, memory, growth, stderr, action, delay_ms,
  culprits, moved_to_own_child, back_at
`;

const exitRow = z.object({
  ordinal: z.number(),
  at: z.number(),
  cause: z.string(),
  detail: z.string(),
  pid: z.number().nullable(),
  code: z.number().nullable(),
  signal: z.string().nullable(),
  uptime_ms: z.number(),
  memory_cap_bytes: z.number(),
  memory: z.array(
    z.object({
      at: z.number(),
      privateBytes: z.number(),
      heapBytes: z.number().nullable(),
      externalBytes: z.number().nullable(),
    }),
  ),
  growth: z.enum(['heap', 'external', 'native']).nullable(),
  stderr: z.string(),
  action: z.enum(['restarted', 'retried_slowly', 'given_up', 'stopped', 'reconnected']),
  delay_ms: z.number().nullable(),
  culprits: z.object({ sessions: z.array(z.string()), grounds: z.string() }).nullable(),
  moved_to_own_child: z.boolean(),
  back_at: z.number().nullable(),
});

function toExit(row: z.output<typeof exitRow>): ChildExitRow {
  return {
    at: row.at,
    cause: row.cause,
    detail: row.detail,
    pid: row.pid,
    code: row.code,
    signal: row.signal,
    uptimeMs: row.uptime_ms,
    memoryCapBytes: row.memory_cap_bytes,
    memory: row.memory,
    growth: row.growth,
    stderr: row.stderr,
    action: row.action,
    delayMs: row.delay_ms,
    culprits: row.culprits,
    movedToOwnChild: row.moved_to_own_child,
    backAt: row.back_at,
  };
}

const formatCursor = (ordinal: number): string => Buffer.from(`x${ordinal}`).toString('base64url');

function parseCursor(cursor: string): number {
  const match = /^x(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match?.[1] !== undefined) return Number(match[1]);
  throw new WardenError('invalid_request', {
    details: [{ field: 'cursor', expected: 'the next_cursor of an earlier answer', received: cursor.slice(0, 40) }],
  });
}
