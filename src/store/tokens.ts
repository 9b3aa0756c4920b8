/** Tokens of the API. Knows digests only: whoever reads the database has no token. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import { roles, scopes as allScopes } from '../contract/roles.ts';
import { ordinalOfCursor, pageOfRows } from './ordinal-cursor.ts';
import { noRow, type Database } from './pool.ts';
import type { TokenRow, TokensStore } from './tokens-store.ts';
import { bytesColumn, sessionIdColumn, textOf, timestampOf } from './values.ts';

const touchMs = 60_000;
const mostNamed = 10;

export function createTokensStore(database: Database): TokensStore {
  return {
    create: (token) =>
      database.transaction(async (transaction) => {
        await transaction.query(sql.type(noRow)`
          insert into api_tokens (
            id, name, digest, role, scopes, all_sessions, addresses, created_by, created_at, expires_at
          )
          values (
            ${token.id}, ${textOf(token.name)}, ${sql.binary(token.digest)}, ${token.role}, ${listOrNull(token.scopes)},
            ${token.sessions === 'all'},
            ${sql.array([...token.addresses], 'text')}, ${token.createdBy}, to_timestamp(${timestampOf(token.createdAt)}),
            to_timestamp(${timestampOf(token.expiresAt)}::float8)
          )
        `);
        if (token.sessions !== 'all') await grantSessions(transaction, token.id, token.sessions);
        return readOne(transaction, token.id);
      }),
    find: (id) => database.run((connection) => findOne(connection, id)),
    findWithDigest: (id) =>
      database.run(async (connection) => {
        const found = await connection.maybeOne(sql.type(tokenRow.extend({ digest: bytesColumn }))`
          select ${columns}, t.digest from api_tokens t where t.id = ${id}
        `);
        return found === null ? null : { row: toToken(found), digest: found.digest };
      }),
    list: ({ limit, cursor, isWithRevoked }) =>
      database.run(async (connection) => {
        const before = cursor === null ? Number.MAX_SAFE_INTEGER : ordinalOfCursor('t', cursor);
        const wanted = isWithRevoked ? sql.fragment`true` : sql.fragment`t.revoked_at is null`;
        const rows = await connection.any(sql.type(tokenRow)`
          select ${columns} from api_tokens t where ${wanted} and t.ordinal < ${before}
          order by t.ordinal desc limit ${limit + 1}
        `);
        const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
          select count(*) as total from api_tokens t where ${wanted}
        `);
        return pageOfRows(rows, { limit, total, kind: 't' }, toToken);
      }),
    update: (id, change) =>
      database.transaction(async (transaction) => {
        const { name, role, scopes, sessions, addresses, expiresAt } = change;
        const set = sql.join(
          [
            sql.fragment`id = id`,
            ...(name === undefined ? [] : [sql.fragment`name = ${textOf(name)}`]),
            ...(role === undefined ? [] : [sql.fragment`role = ${role}`]),
            ...(scopes === undefined ? [] : [sql.fragment`scopes = ${listOrNull(scopes)}`]),
            ...(sessions === undefined ? [] : [sql.fragment`all_sessions = ${sessions === 'all'}`]),
            ...(addresses === undefined ? [] : [sql.fragment`addresses = ${sql.array([...addresses], 'text')}`]),
            ...(expiresAt === undefined
              ? []
              : [sql.fragment`expires_at = to_timestamp(${timestampOf(expiresAt)}::float8)`]),
          ],
          sql.fragment`, `,
        );
        const { rowCount } = await transaction.query(sql.type(noRow)`
          update api_tokens set ${set} where id = ${id} and revoked_at is null
        `);
        if (rowCount === 0) return null;
        if (sessions !== undefined) {
          await transaction.query(sql.type(noRow)`delete from api_token_sessions where token_id = ${id}`);
          if (sessions !== 'all') await grantSessions(transaction, id, sessions);
        }
        return readOne(transaction, id);
      }),
    rotate: (id, digest) =>
      database.transaction(async (transaction) => {
        const { rowCount } = await transaction.query(sql.type(noRow)`
          update api_tokens set digest = ${sql.binary(digest)} where id = ${id} and revoked_at is null
        `);
        if (rowCount === 0) return null;
        await signOut(transaction, id);
        return readOne(transaction, id);
      }),
    revoke: (id, now) =>
      database.transaction(async (transaction) => {
        const { rowCount } = await transaction.query(sql.type(noRow)`
          update api_tokens set revoked_at = coalesce(revoked_at, to_timestamp(${timestampOf(now)})) where id = ${id}
        `);
        await signOut(transaction, id);
        return rowCount > 0;
      }),
    touch: async (id, now) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update api_tokens set last_used_at = to_timestamp(${timestampOf(now)})
          where id = ${id}
            and (last_used_at is null or last_used_at <= to_timestamp(${timestampOf(now - touchMs)}))
        `),
      );
    },
  };
}

const listOrNull = (values: readonly string[] | null) =>
  values === null ? sql.fragment`null` : sql.fragment`${sql.array([...values], 'text')}`;

/** Throws `invalid_request` for sessions that do not exist, by name. */
async function grantSessions(
  connection: CommonQueryMethods,
  token: string,
  sessions: readonly SessionId[],
): Promise<void> {
  const wanted = [...new Set(sessions)];
  // Locked against a deletion that happens at the same time.
  const granted = await connection.any(sql.type(z.object({ session: z.string() }))`
    insert into api_token_sessions (token_id, session_id)
    select ${token}, id from sessions where id = any (${sql.array(wanted, 'text')}) for key share
    returning session_id as session
  `);
  const known = new Set(granted.map(({ session }) => session));
  const missing = wanted.filter((session) => !known.has(session));
  if (missing.length === 0) return;
  throw new WardenError('invalid_request', {
    details: [
      {
        field: 'sessions',
        expected: 'ids of sessions that exist',
        received: missing
          .slice(0, mostNamed)
          .map((session) => JSON.stringify(session))
          .join(', '),
      },
    ],
  });
}

async function signOut(connection: CommonQueryMethods, principal: string): Promise<void> {
  await connection.query(sql.type(noRow)`delete from browser_sessions where principal = ${principal}`);
}

const columns = sql.fragment`
  t.ordinal, t.id, t.name, t.role, t.scopes, t.all_sessions as "isForAll", t.addresses, t.created_by as "createdBy",
  t.created_at as "createdAt", t.expires_at as "expiresAt", t.last_used_at as "lastUsedAt",
  t.revoked_at as "revokedAt",
  array(select session_id from api_token_sessions where token_id = t.id order by session_id) as "sessions"
`;

const tokenRow = z.object({
  ordinal: z.number(),
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  scopes: z.array(z.enum(allScopes)).nullable(),
  isForAll: z.boolean(),
  sessions: z.array(sessionIdColumn),
  addresses: z.array(z.string()),
  createdBy: z.string(),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  lastUsedAt: z.number().nullable(),
  revokedAt: z.number().nullable(),
});

function toToken(row: z.output<typeof tokenRow>): TokenRow {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    scopes: row.scopes,
    sessions: row.isForAll ? 'all' : row.sessions,
    addresses: row.addresses,
    createdBy: row.createdBy,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    lastUsedAt: row.lastUsedAt,
    revokedAt: row.revokedAt,
  };
}

async function findOne(connection: CommonQueryMethods, id: string): Promise<TokenRow | null> {
  const row = await connection.maybeOne(sql.type(tokenRow)`select ${columns} from api_tokens t where t.id = ${id}`);
  return row === null ? null : toToken(row);
}

async function readOne(connection: CommonQueryMethods, id: string): Promise<TokenRow> {
  return toToken(await connection.one(sql.type(tokenRow)`select ${columns} from api_tokens t where t.id = ${id}`));
}
