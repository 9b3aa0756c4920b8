import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { systemClock } from '../../src/clock.ts';
import { WardenError } from '../../src/contract/errors.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { createStore } from '../../src/store/create-store.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { eventually } from '../support/eventually.ts';
import { hasCode, receivedItem, sessionId } from '../support/store-fixtures.ts';
import { testKeys } from '../support/test-keys.ts';

setLogLevel('silent');
const log = logger('test');
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warden-embedded-'));
  folders.push(folder);
  return folder;
}

/** Starts it for one test, which stops it in any case. */
async function start(context: TestContext, folder: string, patch: object = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder, database: 'wagateway', log, isDurable: false, ...patch });
  context.after(() => server.stop());
  return server;
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the embedded database', () => {
  test('keeps its data from one start to the next, and leaves no process behind', async (context) => {
    const folder = await newFolder();
    const first = await start(context, folder);
    await query(first.url, 'create table kept (n int); insert into kept values (42)');
    const pid = first.pid() ?? 0;
    await first.stop();
    assert.equal(isAlive(pid), false);
    const startedAt = performance.now();
    const second = await start(context, folder);
    assert.ok(performance.now() - startedAt < 5_000);
    assert.deepEqual(await query(second.url, 'select n from kept'), [{ n: 42 }]);
  });

  test('lets nobody in without its password, which only the owner can read', async (context) => {
    const folder = await newFolder();
    const { url } = await start(context, folder);
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await assert.rejects(query(wrong.href, 'select 1'), /password authentication failed/);
    assert.equal((await stat(join(folder, 'password'))).mode & 0o777, 0o600);
  });

  test('refuses a second gateway on the same folder and names the first', async (context) => {
    const folder = await newFolder();
    const { url } = await start(context, folder);
    await assert.rejects(
      startEmbeddedPostgres({ folder, database: 'wagateway', log, isDurable: false }),
      new RegExp(`another gateway \\(process ${process.pid}\\)`),
    );
    assert.deepEqual(await query(url, 'select 1 as one'), [{ one: 1 }]);
  });

  test('starts over a pid file that names a process which has nothing to do with it', async (context) => {
    const folder = await newFolder();
    await (await start(context, folder)).stop();
    for (const pid of [process.ppid, 1, 999_999]) {
      const file = join(folder, 'data', 'postmaster.pid');
      await writeFile(file, `${pid}\n${join(folder, 'data')}\n1700000000\n5432\n\n\n`, { mode: 0o600 });
      const server = await start(context, folder);
      assert.deepEqual(await query(server.url, 'select 1 as one'), [{ one: 1 }]);
      await server.stop();
    }
  });

  test('dies with a gateway that is killed, and its data are there at the next start', async (context) => {
    const folder = await newFolder();
    const holder = fileURLToPath(new URL('../support/embedded-holder.js', import.meta.url));
    const gateway = spawn(process.execPath, [holder, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    context.after(() => gateway.kill('SIGKILL'));
    const line = await new Promise<string>((resolve) =>
      createInterface({ input: gateway.stdout }).once('line', resolve),
    );
    const told: unknown = JSON.parse(line);
    assert.ok(typeof told === 'object' && told !== null && 'pid' in told && 'url' in told);
    await query(String(told.url), 'create table kept (n int); insert into kept values (7)');
    gateway.kill('SIGKILL');
    const next = await start(context, folder);
    assert.deepEqual(await query(next.url, 'select n from kept'), [{ n: 7 }]);
    const pid = Number(told.pid);
    await eventually(
      async () => !(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('postgres'),
    );
  });

  test(
    'runs as another user when root may not make user namespaces',
    { skip: process.getuid?.() !== 0 },
    async (context) => {
      const folder = await newFolder();
      const server = await start(context, folder, { allowsNamespaces: false });
      assert.deepEqual(await query(server.url, 'select 1 as one'), [{ one: 1 }]);
      assert.notEqual((await stat(join(folder, 'data'))).uid, 0);
      await server.stop();
      // The owner of the data decides from then on.
      const again = await start(context, folder);
      assert.deepEqual(await query(again.url, 'select 1 as one'), [{ one: 1 }]);
    },
  );
});

describe('a database that dies', () => {
  test('makes calls fail as storage_unavailable, comes back by itself, and later calls work', async (context) => {
    const server = await start(context, await newFolder());
    await migrate({ connection: server.url, log });
    const store = await createStore({ connection: server.url, log, clock: systemClock, keys: testKeys() });
    context.after(() => store.close());
    const session = sessionId('survivor');
    await store.sessions.create({
      id: session,
      name: null,
      sandbox: false,
      desired: 'running',
      memoryCapMb: null,
      webhook: null,
    });
    const epoch = (await store.sessions.takeEpoch(session)) ?? 0;
    let heard = 0;
    store.outbox.onNew(() => (heard += 1));
    await eventually(() => heard > 0);

    for (const round of ['1', '2']) {
      const failures = new Set<string>();
      const acknowledged: string[] = [];
      heard = 0;
      process.kill(server.pid() ?? 0, 'SIGKILL');
      const deadline = performance.now() + 30_000;
      // Writes all along: each is either acknowledged and kept, or fails as unavailable.
      for (let count = 0; acknowledged.length < 20 || failures.size === 0; count += 1) {
        assert.ok(performance.now() < deadline, `failures: ${[...failures].join()}; kept: ${acknowledged.length}`);
        const id = `R${round}-${count}`;
        try {
          await store.commits.record({ session, epoch, items: [receivedItem(id)] });
          acknowledged.push(id);
        } catch (error) {
          failures.add(error instanceof WardenError ? error.code : String(error));
        }
      }
      assert.deepEqual([...failures], ['storage_unavailable']);
      const rows = await query(server.url, `select id from messages where id like 'R${round}-%'`);
      const kept = new Set(rows.map((row) => row['id']));
      assert.deepEqual(
        acknowledged.filter((id) => !kept.has(id)),
        [],
      );
      await eventually(() => heard > 0);
      await store.ping(2_000);
    }
  });

  test('a store that finds no database says so', async () => {
    const connection = 'postgres://nobody@127.0.0.1:9/none';
    await assert.rejects(
      createStore({ connection, log, clock: systemClock, keys: testKeys() }),
      hasCode('storage_unavailable'),
    );
    await assert.rejects(migrate({ connection, log }), hasCode('storage_unavailable'));
  });

  test('a database that accepts connections and then never answers does not hang the gateway', async (context) => {
    const server = await start(context, await newFolder());
    await migrate({ connection: server.url, log });
    const store = await createStore({ connection: server.url, log, clock: systemClock, keys: testKeys() });
    context.after(() => store.close());
    await store.ping(2_000);
    process.kill(server.pid() ?? 0, 'SIGSTOP');
    const backends = await backendsOf(server.pid() ?? 0);
    for (const pid of backends) process.kill(pid, 'SIGSTOP');
    const startedAt = performance.now();
    await assert.rejects(store.ping(500), hasCode('storage_unavailable'));
    assert.ok(performance.now() - startedAt < 2_000);
    for (const pid of [...backends, server.pid() ?? 0]) process.kill(pid, 'SIGCONT');
    await store.ping(5_000);
  });
});

async function backendsOf(postmaster: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  return text.trim().split(/\s+/).map(Number);
}

describe('migrations', () => {
  test('run at once by three gateways are applied once', async (context) => {
    const { url } = await start(context, await newFolder());
    const results = await Promise.all([1, 2, 3].map(() => migrate({ connection: url, log })));
    assert.deepEqual(
      results.map((names) => names.length > 0).toSorted((a, b) => Number(a) - Number(b)),
      [false, false, true],
    );
    assert.deepEqual(await migrate({ connection: url, log }), []);
  });

  test('refuse a file that was changed after it had been applied, and a database of a newer version', async (context) => {
    const { url } = await start(context, await newFolder());
    const folder = await newFolder();
    await writeFile(join(folder, '0001_first.sql'), 'create table a (n int);');
    await migrate({ connection: url, log, folder });
    await writeFile(join(folder, '0001_first.sql'), 'create table a (n int, m int);');
    await assert.rejects(migrate({ connection: url, log, folder }), /0001_first\.sql was changed/);
    await writeFile(join(folder, '0001_first.sql'), 'create table a (n int);');
    await writeFile(join(folder, '0002_broken.sql'), 'create table b (n int); select nonsense;');
    await assert.rejects(migrate({ connection: url, log, folder }), /0002_broken\.sql could not be applied/);
    assert.deepEqual(await query(url, `select to_regclass('b') as b`), [{ b: null }]);
    const older = await newFolder();
    await writeFile(join(older, '0000_other.sql'), 'select 1;');
    await assert.rejects(migrate({ connection: url, log, folder: older }), /newer version.*0001_first/);
  });
});
