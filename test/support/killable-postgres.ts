/** A Postgres of a test's own that can be killed, and comes back at the same address with what was committed. */
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
import type { TestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { testKeys } from './test-keys.ts';

export interface KillablePostgres extends TestDatabase {
  /** Ends the server with SIGKILL and waits until another one answers. */
  kill(): Promise<void>;
}

export async function startKillablePostgres(): Promise<KillablePostgres> {
  setLogLevel('silent');
  const folder = await mkdtemp(join(tmpdir(), 'warden-killable-'));
  const log = logger('test-postgres');
  const server = await startEmbeddedPostgres({ folder, database: 'warden', log });
  await migrate({ connection: server.url, log });
  const query: TestDatabase['query'] = async (text, values = []) => {
    const client = new Client({ connectionString: server.url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  const stores: Store[] = [];
  return {
    url: server.url,
    query,
    kill: async () => {
      const pid = server.pid();
      if (pid === null) return;
      process.kill(pid, 'SIGKILL');
      await eventually(() => server.pid() !== pid && server.pid() !== null, 30_000);
      await eventually(async () => (await query('select 1')).length === 1, 30_000);
    },
    openStore: async () => {
      const store = await createStore({ connection: server.url, log, clock: systemClock, keys: testKeys() });
      stores.push(store);
      return store;
    },
    dispose: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
