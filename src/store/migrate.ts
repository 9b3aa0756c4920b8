/** Brings the schema up to date from the numbered plain-SQL files in sql/, which are only ever added. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import type { Logger } from '../log.ts';
import { driverUrl } from './connection-url.ts';

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

const defaultFolder = fileURLToPath(new URL('../../../sql/', import.meta.url));
/** Any number that nothing else in the database locks. */
const lockKey = 1_464_881_006;

/**
 * Applies what is missing, each file in a transaction of its own, and answers their names. Of several that run at once
 * one works and the others wait. Throws `storage_unavailable` when the database does not answer, and an error that
 * names the file when one that is applied already reads differently now.
 */
export async function migrate(options: {
  readonly connection: string;
  readonly log: Logger;
  readonly folder?: string;
}): Promise<readonly string[]> {
  const { log, folder = defaultFolder } = options;
  const migrations = await readMigrations(folder);
  const client = new Client({
    connectionString: driverUrl(options.connection),
    connectionTimeoutMillis: 10_000,
    application_name: 'warden-migrate',
  });
  client.on('error', (error) => log.warn({ err: error }, 'database connection failed'));
  try {
    await client.connect();
  } catch (error) {
    throw new WardenError('storage_unavailable', { cause: error });
  }
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    await client.query(`create table if not exists migrations (
      name text primary key, checksum text not null, applied_at timestamptz not null default now()
    )`);
    return await applyMissing(client, migrations, log);
  } finally {
    // Ending the connection releases the lock, whatever happened.
    await client.end().catch(() => undefined);
  }
}

/** Names of migrations by what is wrong with them. */
export interface MigrationFaults {
  readonly missing: readonly string[];
  /** Applied, and reading differently now. */
  readonly changed: readonly string[];
  /** Applied by a newer version. */
  readonly foreign: readonly string[];
}

/** How a database stands to the migrations of this version; changes nothing. */
export async function compareMigrations(client: Client, folder = defaultFolder): Promise<MigrationFaults> {
  const migrations = await readMigrations(folder);
  const { rows: tables } = await client.query<Record<string, unknown>>("select to_regclass('migrations') as name");
  const isNew = tables[0]?.['name'] === null;
  const rows = isNew ? [] : (await client.query<Record<string, unknown>>('select name, checksum from migrations')).rows;
  const applied = new Map(appliedRows.parse(rows).map((row) => [row.name, row.checksum]));
  const known = new Set(migrations.map(({ name }) => name));
  return {
    missing: migrations.filter(({ name }) => !applied.has(name)).map(({ name }) => name),
    changed: migrations
      .filter(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum)
      .map(({ name }) => name),
    foreign: [...applied.keys()].filter((name) => !known.has(name)),
  };
}

const appliedRows = z.array(z.object({ name: z.string(), checksum: z.string() }));

async function applyMissing(client: Client, migrations: readonly Migration[], log: Logger): Promise<readonly string[]> {
  const { rows } = await client.query<Record<string, unknown>>('select name, checksum from migrations');
  const applied = new Map(appliedRows.parse(rows).map((row) => [row.name, row.checksum]));
  const known = new Set(migrations.map((migration) => migration.name));
  const foreign = [...applied.keys()].find((name) => !known.has(name));
  if (foreign !== undefined) {
    throw new Error(
      `the database was migrated by a newer version: it has ${foreign}, which this version does not know`,
    );
  }
  const done: string[] = [];
  for (const { name, text, checksum } of migrations) {
    const before = applied.get(name);
    if (before === checksum) continue;
    if (before !== undefined) {
      throw new Error(`sql/${name} was changed after it had been applied; add a new migration instead`);
    }
    try {
      await client.query('begin');
      await client.query(text);
      await client.query('insert into migrations (name, checksum) values ($1, $2)', [name, checksum]);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw new Error(`sql/${name} could not be applied`, { cause: error });
    }
    log.info({ migration: name }, 'migration applied');
    done.push(name);
  }
  return done;
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).toSorted();
  if (names.length === 0) throw new Error(`there are no migrations in ${folder}`);
  return Promise.all(
    names.map(async (name) => {
      const text = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}
