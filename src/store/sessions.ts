/** Sessions: what users want of them, what was last told of their links, and who owns them. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { deviceInfo } from '../contract/device-info.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import { backoff, pacingOverrides } from '../contract/pacing.ts';
import type { Logger } from '../log.ts';
import { CommitQueue } from './group-commit.ts';
import { saveLinks, type LinkSave } from './link-saves.ts';
import { noRow, violatedConstraint, type Database } from './pool.ts';
import type { Page, SessionRow, SessionsStore } from './store.ts';
import { sessionIdColumn, textOf } from './values.ts';
import type { Vault } from './vault.ts';
import { insertWebhook } from './webhooks.ts';

export function createSessionsStore(database: Database, vault: Vault, log: Logger): SessionsStore {
  const links = new CommitQueue<LinkSave>((saves) => saveLinks(database, saves), log);
  return {
    create: async (session) => {
      try {
        return await database.transaction(async (transaction) => {
          const row = await transaction.one(sql.type(sessionRow)`
            insert into sessions (id, name, sandbox, desired, memory_cap_mb, isolated)
            values (
              ${session.id}, ${textOf(session.name)}, ${session.sandbox}, ${session.desired}, ${session.memoryCapMb},
              ${session.isolated ?? null}
            )
            returning ${columns}
          `);
          if (session.webhook !== null) {
            await insertWebhook(transaction, vault, { ...session.webhook, session: session.id });
          }
          return toSession(row);
        });
      } catch (error) {
        throw violatedConstraint(error) === 'sessions_pkey'
          ? new WardenError('session_exists', { cause: error })
          : error;
      }
    },
    get: (id) => database.run((connection) => findSession(connection, id)),
    list: (page) => database.run((connection) => listPage(connection, page)),
    listDesired: () =>
      database.run(async (connection) => {
        const rows = await connection.any(sql.type(sessionRow)`
          select ${columns} from sessions where desired = 'running' order by last_connected_at desc nulls last, ordinal
        `);
        return rows.map(toSession);
      }),
    update: (id, patch) =>
      database.run(async (connection) => {
        const name = patch.name === undefined ? sql.fragment`name` : sql.fragment`${textOf(patch.name)}`;
        const cap =
          patch.memoryCapMb === undefined ? sql.fragment`memory_cap_mb` : sql.fragment`${patch.memoryCapMb}::integer`;
        const isolated =
          patch.isolated === undefined ? sql.fragment`isolated` : sql.fragment`${patch.isolated}::boolean`;
        const pacing = patch.pacing === undefined ? sql.fragment`pacing` : sql.fragment`${jsonOf(patch.pacing)}::json`;
        const row = await connection.maybeOne(sql.type(sessionRow)`
          update sessions set
            name = ${name}, memory_cap_mb = ${cap}, isolated = ${isolated}, pacing = ${pacing}, updated_at = now()
          where id = ${id} returning ${columns}
        `);
        return row === null ? null : toSession(row);
      }),
    setDesired: async (id, desired) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update sessions set desired = ${desired}, updated_at = now() where id = ${id} and desired <> ${desired}
        `),
      );
    },
    saveLink: (snapshot, at) => links.submit({ snapshot, at }),
    delete: (id) =>
      database.transaction(async (transaction) => {
        // Before the deliveries that go with them, as whoever settles attempts does.
        await transaction.query(sql.type(noRow)`select from sessions where id = ${id} for update`);
        await transaction.query(sql.type(noRow)`
          select from webhook_health h join webhooks w on w.id = h.webhook_id where w.session_id = ${id}
          order by h.webhook_id for update of h
        `);
        const { rowCount } = await transaction.query(sql.type(noRow)`delete from sessions where id = ${id}`);
        return rowCount > 0;
      }),
    takeEpoch: (id) =>
      database.run(async (connection) => {
        const row = await connection.maybeOne(sql.type(z.object({ epoch: z.number() }))`
          update sessions set epoch = epoch + 1 where id = ${id} returning epoch
        `);
        return row?.epoch ?? null;
      }),
  };
}

const columns = sql.fragment`
  ordinal, id, name, sandbox, desired, memory_cap_mb, isolated, link_state, link_reason, link_until, is_paired, device,
  created_at, updated_at, last_connected_at, linked_at, pacing, pacing_backoff, exported_at
`;

const jsonOf = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

const sessionRow = z.object({
  ordinal: z.number(),
  id: sessionIdColumn,
  name: z.string().nullable(),
  sandbox: z.boolean(),
  desired: z.enum(['running', 'stopped']),
  memory_cap_mb: z.number().nullable(),
  isolated: z.boolean().nullable(),
  link_state: z.enum([
    'idle',
    'connecting',
    'waiting_for_qr',
    'waiting_for_pair_code',
    'connected',
    'reconnecting',
    'logged_out',
    'replaced',
    'banned',
    'outdated',
    'rejected',
  ]),
  link_reason: z.string(),
  link_until: z.number().nullable(),
  is_paired: z.boolean(),
  device: deviceInfo.nullable(),
  created_at: z.number(),
  updated_at: z.number(),
  last_connected_at: z.number().nullable(),
  linked_at: z.number().nullable(),
  pacing: pacingOverrides.nullable(),
  pacing_backoff: backoff.nullable(),
  exported_at: z.number().nullable(),
});

function toSession(row: z.output<typeof sessionRow>): SessionRow {
  return {
    id: row.id,
    name: row.name,
    sandbox: row.sandbox,
    desired: row.desired,
    memoryCapMb: row.memory_cap_mb,
    isolated: row.isolated,
    link: { state: row.link_state, reason: row.link_reason, until: row.link_until },
    isPaired: row.is_paired,
    device: row.device,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastConnectedAt: row.last_connected_at,
    linkedAt: row.linked_at,
    pacing: row.pacing,
    pacingBackoff: row.pacing_backoff,
    exportedAt: row.exported_at,
  };
}

/** Within the caller's connection or transaction. */
export async function findSession(connection: CommonQueryMethods, id: SessionId): Promise<SessionRow | null> {
  const row = await connection.maybeOne(sql.type(sessionRow)`select ${columns} from sessions where id = ${id}`);
  return row === null ? null : toSession(row);
}

async function listPage(
  connection: CommonQueryMethods,
  { limit, cursor, only }: Parameters<SessionsStore['list']>[0],
): Promise<Page<SessionRow>> {
  const after = cursor === null ? 0 : parseCursor(cursor);
  const wanted = only === undefined ? sql.fragment`true` : sql.fragment`id = any (${sql.array([...only], 'text')})`;
  const rows = await connection.any(sql.type(sessionRow)`
    select ${columns} from sessions where ${wanted} and ordinal > ${after} order by ordinal limit ${limit + 1}
  `);
  const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
    select count(*) as total from sessions where ${wanted}
  `);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return { rows: page.map(toSession), total, nextCursor: last === undefined ? null : formatCursor(last.ordinal) };
}

const formatCursor = (ordinal: number): string => Buffer.from(`s${ordinal}`).toString('base64url');

function parseCursor(cursor: string): number {
  const match = /^s(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match?.[1] !== undefined) return Number(match[1]);
  throw new WardenError('invalid_request', {
    details: [{ field: 'cursor', expected: 'the next_cursor of an earlier answer', received: cursor.slice(0, 40) }],
  });
}
