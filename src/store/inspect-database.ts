/** Looks at a database as a doctor does: asks, changes nothing, and needs no gateway. */
import { Client } from 'pg';
import { z } from 'zod';
import { driverUrl } from './connection-url.ts';
import { compareMigrations, type MigrationFaults } from './migrate.ts';

const connectTimeoutMs = 5_000;
const statementTimeoutMs = 10_000;
const listedWebhooks = 10;

export interface InspectedDatabase {
  /** As 180001 for 18.1. */
  readonly version: number;
  readonly roundTripMs: number;
  /** The database's clock against ours; positive when it is ahead. */
  readonly clockAheadMs: number;
  readonly settings: {
    readonly fsync: boolean;
    readonly fullPageWrites: boolean;
    readonly synchronousCommit: string;
    readonly maxConnections: number;
    readonly encoding: string;
  };
  readonly connections: number;
  /** It takes no writes: a standby, or set so. */
  readonly isReadOnly: boolean;
  readonly mayCreate: boolean;
  readonly sizeBytes: number;
  readonly migrations: MigrationFaults;
  /** Null while the tables are not those of this version. */
  readonly content: InspectedContent | null;
}

export interface InspectedContent {
  /** Those that should run. */
  readonly sessions: number;
  readonly deadLetters: number;
  readonly oldestPendingSeconds: number | null;
  /** Receivers in trouble, the longest first; at most ten. */
  readonly failingWebhooks: readonly {
    readonly id: string;
    readonly session: string;
    readonly isDisabled: boolean;
    readonly failures: number;
    readonly error: string | null;
  }[];
}

/** Rejects with what the driver says when the database cannot be reached. */
export async function inspectDatabase(url: string, now: () => number): Promise<InspectedDatabase> {
  const client = new Client({
    connectionString: driverUrl(url),
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs,
    application_name: 'warden-doctor',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const askedAt = now();
    const facts = factsRow.parse((await client.query<Record<string, unknown>>(factsQuery)).rows[0]);
    const answeredAt = now();
    const migrations = await compareMigrations(client);
    return {
      version: facts.version,
      roundTripMs: answeredAt - askedAt,
      clockAheadMs: facts.clock - (askedAt + answeredAt) / 2,
      settings: {
        fsync: facts.fsync === 'on',
        fullPageWrites: facts.full_page_writes === 'on',
        synchronousCommit: facts.synchronous_commit,
        maxConnections: Number(facts.max_connections),
        encoding: facts.server_encoding,
      },
      connections: facts.connections,
      isReadOnly: facts.is_read_only,
      mayCreate: facts.may_create,
      sizeBytes: facts.size,
      migrations,
      content: migrations.missing.length === 0 && migrations.foreign.length === 0 ? await contentOf(client) : null,
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function contentOf(client: Client): Promise<InspectedContent> {
  const totals = totalsRow.parse((await client.query<Record<string, unknown>>(totalsQuery)).rows[0]);
  const { rows } = await client.query<Record<string, unknown>>(failingQuery, [listedWebhooks]);
  return {
    sessions: totals.sessions,
    deadLetters: totals.dead,
    oldestPendingSeconds: totals.oldest,
    failingWebhooks: z.array(failingRow).parse(rows),
  };
}

const factsRow = z.object({
  version: z.coerce.number(),
  clock: z.number(),
  fsync: z.string(),
  full_page_writes: z.string(),
  synchronous_commit: z.string(),
  max_connections: z.string(),
  server_encoding: z.string(),
  connections: z.coerce.number(),
  is_read_only: z.boolean(),
  may_create: z.boolean(),
  size: z.coerce.number(),
});
const factsQuery = `
  select
    current_setting('server_version_num') as version,
    (extract(epoch from clock_timestamp()) * 1000)::float8 as clock,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('max_connections') as max_connections,
    current_setting('server_encoding') as server_encoding,
    (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
    pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as is_read_only,
    has_schema_privilege(coalesce(current_schema(), 'public'), 'create') as may_create,
    pg_database_size(current_database()) as size
`;

const totalsRow = z.object({ sessions: z.coerce.number(), dead: z.coerce.number(), oldest: z.number().nullable() });
const totalsQuery = `
  select
    (select count(*) from sessions where desired = 'running') as sessions,
    (select count(*) from deliveries where status = 'dead') as dead,
    (
      select extract(epoch from now() - min(d.created_at))::float8
      from deliveries d join webhooks w on w.id = d.webhook_id where d.status = 'pending' and w.enabled
    ) as oldest
`;

const failingRow = z.object({
  id: z.string(),
  session: z.string(),
  isDisabled: z.boolean(),
  failures: z.coerce.number(),
  error: z.string().nullable(),
});
const failingQuery = `
  select w.id, w.session_id as session, w.disabled_reason is not null as "isDisabled",
    h.consecutive_failures as failures, coalesce(w.disabled_reason, h.last_error) as error
  from webhooks w join webhook_health h on h.webhook_id = w.id
  where w.disabled_reason is not null or (w.enabled and h.failing_since is not null)
  order by h.failing_since nulls last, w.id limit $1
`;
