import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { startSilentSocket, type SilentSocket } from '../support/silent-socket.ts';
import { newWebhook, sessionId } from '../support/store-fixtures.ts';

const program = fileURLToPath(new URL('../../src/doctor/main.js', import.meta.url));
const reportSchema = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.object({
      check: z.string(),
      level: z.enum(['ok', 'warn', 'fail']),
      what: z.string(),
      advice: z.string().nullable(),
    }),
  ),
});

describe('npm run doctor', () => {
  let database: TestDatabase;
  let storage: string;
  let whatsapp: SilentSocket;
  let healthy: Readonly<Record<string, string>>;

  before(async () => {
    database = await createTestDatabase();
    storage = await mkdtemp(join(tmpdir(), 'warden-doctor-'));
    whatsapp = await startSilentSocket();
    healthy = {
      DATABASE_URL: database.url,
      WHATSAPP_STORAGE_PATH: storage,
      WHATSAPP_URL: whatsapp.url,
      PORT: String(await freePort()),
    };
  });
  after(async () => {
    await whatsapp.close();
    await database.dispose();
    await rm(storage, { recursive: true, force: true });
  });

  const run = (change: Readonly<Record<string, string>>, args: readonly string[]) =>
    new Promise<{ readonly code: number; readonly text: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [program, ...args],
        { env: { ...healthy, ...change }, cwd: storage },
        (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
      );
    });
  const examine = async (change: Readonly<Record<string, string>> = {}) => {
    const { code, text } = await run(change, ['--json']);
    const report = reportSchema.parse(JSON.parse(text));
    assert.equal(code, report.ok ? 0 : 1);
    const of = (check: string, level: 'ok' | 'warn' | 'fail') =>
      report.findings.filter((finding) => finding.check === check && finding.level === level).map(({ what }) => what);
    return { ...report, of };
  };

  test('finds nothing to be mended where there is nothing, and says so to people', async () => {
    const { ok, findings } = await examine();
    // The server of tests does without durability, for speed.
    const fails = findings.filter(({ level }) => level === 'fail');
    assert.deepEqual(
      fails.filter(({ what }) => !what.startsWith('fsync is off')),
      [],
    );
    assert.equal(ok, fails.length === 0);
    const { text } = await run({}, []);
    assert.match(text, /^ok {4}node {11}Node v\d+/m);
    assert.match(text, /^ok {4}migrations {5}All are applied\.$/m);
    assert.doesNotMatch(text, new RegExp(new URL(database.url).password || 'no password here'));
  });

  test('tells a database that refuses, and shows no password', async () => {
    const { ok, of } = await examine({ DATABASE_URL: 'postgres://u:a-secret-password@127.0.0.1:1/x' });
    assert.equal(ok, false);
    assert.deepEqual(of('database', 'fail'), [
      'Postgres at 127.0.0.1:1/x cannot be reached: the connection was refused.',
    ]);
  });

  test('tells settings that cannot be used, all at once', async () => {
    const { findings } = await examine({ PORT: 'x', HEARTBEAT_SUSPECT_MS: '1' });
    assert.deepEqual(new Set(findings.map(({ check }) => check)), new Set(['configuration']));
    assert.ok(findings.length >= 2);
  });

  test('tells a port that another program has', async () => {
    const stranger = createServer((socket) => socket.destroy());
    const port = await freePort();
    await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
    const { of } = await examine({ PORT: String(port) });
    assert.deepEqual(of('gateway', 'fail'), [`Nobody can listen at 127.0.0.1:${port}: another program has the port.`]);
    stranger.close();
  });

  test('tells secrets that others can read', async () => {
    const folder = join(storage, 'secrets');
    await mkdir(folder, { mode: 0o700 });
    await writeFile(join(folder, 'jwt-secret'), 'x', { mode: 0o600 });
    assert.deepEqual((await examine()).of('secrets', 'ok'), ['2 files, for their owner only.']);
    await chmod(join(folder, 'jwt-secret'), 0o640);
    const [found = ''] = (await examine()).of('secrets', 'fail');
    assert.match(found, /jwt-secret can be used by others \(mode 640\)/);
    await rm(folder, { recursive: true });
  });

  test('tells that WhatsApp, or what stands for it, cannot be reached', async () => {
    const { ok, of } = await examine({ WHATSAPP_URL: 'ws://127.0.0.1:1/' });
    assert.equal(ok, false);
    assert.deepEqual(of('whatsapp', 'fail'), ['ws://127.0.0.1:1 cannot be reached: the connection was refused.']);
    assert.equal((await examine()).of('whatsapp', 'ok').length, 1);
  });

  test('tells receivers in trouble, and a schema that is of another version', async () => {
    const store = await database.openStore();
    await store.sessions.create({
      id: sessionId('shop'),
      name: null,
      sandbox: false,
      desired: 'running',
      memoryCapMb: null,
      webhook: newWebhook('wh_1'),
    });
    await database.query(
      `update webhook_health set consecutive_failures = 9, failing_since = now(), last_error = 'no answer in time'`,
    );
    const troubled = await examine();
    assert.deepEqual(troubled.of('webhooks', 'warn'), ['wh_1 of shop has failed 9 times in a row: no answer in time.']);
    await database.query(`insert into migrations (name, checksum) values ('9999_later.sql', 'x')`);
    assert.match((await examine()).of('migrations', 'fail')[0] ?? '', /newer version: it has 9999_later\.sql/);
    await database.query(`delete from migrations where name >= '0048' or name = '9999_later.sql'`);
    assert.match((await examine()).of('migrations', 'ok')[0] ?? '', /the next start applies them/);
    assert.equal((await examine({ AUTO_MIGRATE: 'false' })).of('migrations', 'fail').length, 1);
  });
});
