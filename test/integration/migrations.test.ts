import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { systemClock } from '../../src/clock.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { createStore } from '../../src/store/create-store.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { GatewayUnderTest } from '../support/gateway.ts';
import { root } from '../support/source-files.ts';
import { sessionId } from '../support/store-fixtures.ts';

setLogLevel('silent');
const log = logger('test');

describe('a database that migrations are run on', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  let names: readonly string[];
  let count = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-migrations-'));
    server = await startEmbeddedPostgres({ folder: join(folder, 'db'), database: 'first', log, isDurable: false });
    names = (await readdir(join(root, 'sql'))).filter((name) => name.endsWith('.sql')).toSorted();
  });

  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function emptyDatabase(): Promise<string> {
    count += 1;
    const url = new URL(server.url);
    url.pathname = `/migrated_${count}`;
    await query(server.url, `create database migrated_${count}`);
    return url.href;
  }

  /** A folder with no more than the first migrations, as an older version has it. */
  async function olderVersion(files: number): Promise<string> {
    const older = await mkdtemp(join(folder, 'sql-'));
    for (const name of names.slice(0, files)) await copyFile(join(root, 'sql', name), join(older, name));
    return older;
  }

  test('is the same whatever older version it came from, and keeps its sessions', async () => {
    const fresh = await emptyDatabase();
    await migrate({ connection: fresh, log });
    const wanted = await schemaOf(fresh);
    assert.ok(wanted.length > 100, `${wanted.length} parts of the schema`);
    for (let files = 1; files < names.length; files += 1) {
      const connection = await emptyDatabase();
      await migrate({ connection, log, folder: await olderVersion(files) });
      await query(connection, `insert into sessions (id, sandbox, desired) values ('kept', false, 'stopped')`);
      const applied = await migrate({ connection, log });
      assert.deepEqual(applied, names.slice(files));
      assert.deepEqual(await schemaOf(connection), wanted, `from the first ${files} on`);
      const store = await createStore({ connection, log, clock: systemClock });
      assert.equal((await store.sessions.get(sessionId('kept')))?.id, 'kept');
      await store.close();
    }
  });

  test('is not touched by a second run', async () => {
    const connection = await emptyDatabase();
    await migrate({ connection, log });
    const wanted = await schemaOf(connection);
    const appliedAt = await query(connection, 'select name, applied_at from migrations order by name');
    assert.deepEqual(await migrate({ connection, log }), []);
    assert.deepEqual(await schemaOf(connection), wanted);
    assert.deepEqual(await query(connection, 'select name, applied_at from migrations order by name'), appliedAt);
  });

  test('of a version that lacks some is brought up to date once by two gateways that start together', async (context) => {
    const connection = await emptyDatabase();
    await migrate({ connection, log, folder: await olderVersion(5) });
    const start = async (): Promise<GatewayUnderTest> => {
      const gateway = await GatewayUnderTest.start({ database: null, env: { DATABASE_URL: connection } });
      context.after(() => gateway.dispose());
      return gateway;
    };
    const gateways = await Promise.all([start(), start()]);
    for (const { api } of gateways) assert.equal((await api.call('GET', '/api/v1/sessions')).status, 200);
    const applied = gateways.flatMap(({ output }) =>
      [...output.matchAll(/"migration":"([^"]+)"/g)].map(([, name = '']) => name),
    );
    assert.deepEqual(
      applied.toSorted((a, b) => a.localeCompare(b)),
      names.slice(5),
    );
  });
});

/** Tables, columns, constraints, indexes, functions and triggers, each as one line, without their order of creation. */
async function schemaOf(connection: string): Promise<readonly unknown[]> {
  const rows = await query(
    connection,
    `select line from (
      select format('column %s.%s %s null=%s default=%s', table_name, column_name, data_type, is_nullable, column_default) as line
        from information_schema.columns where table_schema = 'public'
      union all
      select format('constraint %s on %s %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
        from pg_constraint where connamespace = 'public'::regnamespace
      union all
      select indexdef from pg_indexes where schemaname = 'public'
      union all
      select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace and prokind = 'f'
      union all
      select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    ) parts order by line`,
  );
  return rows.map(({ line }) => line);
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
