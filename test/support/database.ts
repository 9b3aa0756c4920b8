/**
 * A migrated database of its own for each test file. The test runner starts one server for all files and names it in
 * TEST_POSTGRES_URL; a file that runs alone starts one for itself.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { systemClock } from '../../src/clock.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { createStore } from '../../src/store/create-store.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import type { Store } from '../../src/store/store.ts';
import { testKeys } from './test-keys.ts';

const templateName = 'warden_template';

export interface TestServer {
  /** Of a migrated database that new ones are copied from; nobody stays connected to it. */
  readonly templateUrl: string;
  stop(): Promise<void>;
}

/** Starts a server without durability in a temporary folder. */
export async function startTestServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'warden-test-'));
  const log = logger('test-postgres');
  const server = await startEmbeddedPostgres({
    folder,
    database: templateName,
    log,
    isDurable: false,
    maxConnections: 120,
  });
  await migrate({ connection: server.url, log });
  return {
    templateUrl: server.url,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface TestDatabase {
  readonly url: string;
  /** Runs one statement with `$1` parameters and answers its rows. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Another store on the same database, reached by another URL if one is given; closed with the database. */
  openStore(through?: string): Promise<Store>;
  /** Closes the stores and deletes the database. */
  dispose(): Promise<void>;
}

/** A migrated, empty database; dispose of it in `after`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  setLogLevel('silent');
  const shared = process.env['TEST_POSTGRES_URL'];
  const own = shared === undefined ? await startTestServer() : null;
  const templateUrl = own?.templateUrl ?? shared ?? '';
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`;
  const adminUrl = withDatabase(templateUrl, 'postgres');
  await once(adminUrl, `create database ${name} template ${templateName}`);
  const url = withDatabase(templateUrl, name);
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const stores: Store[] = [];
  return {
    url,
    query: async (text, values = []) => (await client.query<Record<string, unknown>>(text, [...values])).rows,
    openStore: async (through = url) => {
      const store = await createStore({
        connection: through,
        log: logger('store'),
        clock: systemClock,
        keys: testKeys(),
      });
      stores.push(store);
      return store;
    },
    dispose: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await client.end();
      await once(adminUrl, `drop database if exists ${name} with (force)`);
      await own?.stop();
    },
  };
}

async function once(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.href;
}
