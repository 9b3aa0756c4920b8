import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { usualPoolSize } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, untilConnected } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';
import { startSimulator, type SimulatorProcess } from '../support/simulator.ts';

const phone = '15550031001';
const contact = '15551234567';
const role = `limited_${randomBytes(4).toString('hex')}`;

describe('a gateway whose database is there but does not serve', () => {
  let simulator: SimulatorProcess;
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;
  let pid: unknown;

  before(async () => {
    simulator = await startSimulator({ preKeys: 'skip' });
    database = await createTestDatabase();
    await database.query(`create role ${role} login password 'limited'`);
    await database.query(`grant all on all tables in schema public to ${role}`);
    await database.query(`grant all on all sequences in schema public to ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'limited';
    proxy = await startDatabaseProxy(url.href);
    receiver = await startHttpReceiver();
    gateway = await GatewayUnderTest.start({
      env: {
        DATABASE_URL: proxy.url,
        AUTO_MIGRATE: 'false',
        WHATSAPP_URL: simulator.wsUrl,
        WHATSAPP_ROOT_KEY: simulator.rootKeyHex,
      },
      database,
    });
    await gateway.must(201, '/sessions', { id: 'a', webhook: { url: receiver.url, events: ['message'] } });
    const code = await gateway.get('/sessions/a/qr?wait=20');
    assert.equal((await simulator.api('POST', '/phones/scan', { qr: at(code.json, 'qr'), phone })).status, 200);
    await untilConnected(gateway, 'a');
    assert.equal((await simulator.api('POST', '/contacts', { phone: contact })).status, 201);
    pid = at((await gateway.get('/sessions/a')).json, 'child', 'pid');
  });

  after(async () => {
    proxy.mode = 'open';
    await gateway.dispose();
    await receiver.close();
    await proxy.close();
    await simulator.stop();
    await database.query(`drop owned by ${role}`);
    await database.query(`drop role ${role}`);
    await database.dispose();
  });

  const probe = async (path: string) => gateway.api.call('GET', path, { token: null });
  const send = (text: string) => gateway.post('/sessions/a/messages/text', { to: contact, text });
  const sends = async (text: string): Promise<boolean> => (await send(text)).status === 200;
  const received = async (text: string): Promise<number> => {
    const { body } = await simulator.api('GET', `/accounts/${phone}/inbox?contact=${contact}`);
    const messages = body['messages'];
    return Array.isArray(messages) ? messages.filter((each) => at(each, 'text') === text).length : -1;
  };
  const unacknowledged = async (): Promise<number> =>
    Number((await simulator.api('GET', `/accounts/${phone}/oracle`)).body['unacknowledged_stanzas']);
  const refusal = ({ status, json }: { readonly status: number; readonly json: unknown }) => [
    status,
    at(json, 'error', 'type'),
  ];
  const unavailable = [503, 'storage_unavailable'];
  /** The session has lived through it: same process, nothing restarted, and it works. */
  const unharmed = async (text: string): Promise<void> => {
    await eventually(() => sends(text), 30_000);
    assert.equal(await received(text), 1);
    const child = at((await gateway.get('/sessions/a')).json, 'child');
    assert.deepEqual([at(child, 'pid'), at(child, 'restarts')], [pid, 0]);
  };
  /** Nobody can read or write messages meanwhile. */
  const locked = async (work: () => Promise<void>): Promise<void> => {
    await database.query('begin');
    try {
      await database.query('lock table messages in access exclusive mode');
      await work();
    } finally {
      await database.query('rollback');
    }
  };

  test('because a statement takes too long refuses what needs it, sends nothing, and does everything else', async () => {
    await locked(async () => {
      const refused = send('during the lock');
      assert.equal((await gateway.get('/sessions/a')).status, 200);
      assert.equal((await probe('/readyz')).status, 200);
      assert.deepEqual(refusal(await refused), unavailable);
    });
    await unharmed('after the lock');
    assert.equal(await received('during the lock'), 0);
  });

  test('because all connections are taken answers that it is unavailable, and gets over it', async () => {
    await locked(async () => {
      const waiting = Array.from({ length: 30 }, () => gateway.get('/sessions/a/messages'));
      // Asked before, it would be ready, and say so for some time.
      await eventually(async () => {
        const [row] = await database.query(
          `select count(*)::int as waiting from pg_locks where not granted and relation = 'messages'::regclass`,
        );
        return row?.['waiting'] === usualPoolSize;
      });
      await eventually(async () => (await probe('/readyz')).status === 503);
      assert.match((await probe('/readyz')).text, /\[-\]database: /);
      assert.deepEqual(refusal(await gateway.get('/sessions')), unavailable);
      assert.equal((await probe('/livez')).status, 200);
      for (const answer of await Promise.all(waiting)) assert.deepEqual(refusal(answer), unavailable);
    });
    await eventually(async () => (await probe('/readyz')).status === 200);
    assert.equal((await gateway.get('/sessions/a/messages')).status, 200);
    await unharmed('with connections again');
  });

  test('because it takes no more connections says so, and goes on as soon as it does', async () => {
    await database.query(`alter role ${role} connection limit 0`);
    await database.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);
    await eventually(async () => (await probe('/readyz')).status === 503);
    assert.deepEqual(refusal(await send('without a connection')), unavailable);
    await database.query(`alter role ${role} connection limit -1`);
    await eventually(async () => (await probe('/readyz')).status === 200);
    await unharmed('with a connection');
    assert.equal(await received('without a connection'), 0);
  });

  test('because each answer takes more than five seconds is not ready, lives, and sends once or not at all', async () => {
    proxy.mode = 'slow';
    const sent = send('slowly');
    await eventually(async () => (await probe('/readyz')).status === 503);
    assert.match((await probe('/readyz')).text, /\[-\]database: /);
    const waits = { isOver: false };
    const asked = gateway.get('/sessions/a').finally(() => (waits.isOver = true));
    let lived = 0;
    for (; !waits.isOver; lived++) assert.equal((await probe('/livez')).status, 200);
    assert.ok(lived > 100, `the loop turned ${lived} times while one request waited`);
    assert.match(String((await asked).status), /^(200|503)$/);
    proxy.mode = 'open';
    await eventually(async () => (await probe('/readyz')).status === 200, 30_000);
    const { status } = await sent;
    assert.match(String(status), /^(200|202|503)$/);
    await unharmed('quickly again');
    await eventually(async () => (await received('slowly')) === (status === 503 ? 0 : 1), 20_000);
  });

  test('because its connections have died silently finds that out by itself', async () => {
    // The pool has as many connections as can be.
    await Promise.all(Array.from({ length: 30 }, () => gateway.get('/sessions/a/messages')));
    proxy.mode = 'half_open';
    await eventually(() => sends('over new connections'), 30_000);
    await eventually(async () => (await probe('/readyz')).status === 200, 10_000);
    const written = await simulator.api('POST', `/accounts/${phone}/messages`, {
      from: contact,
      text: 'over the wire',
    });
    assert.equal(written.status, 201);
    await eventually(() => receiver.requests.some(({ json }) => at(json, 'data', 'body') === 'over the wire'), 30_000);
    await unharmed('as ever');
    proxy.mode = 'open';
  });

  test('acknowledges nothing to WhatsApp while it is away, and tells all of it once when it is back', async () => {
    await eventually(async () => (await unacknowledged()) === 0);
    proxy.mode = 'cut';
    await eventually(async () => (await probe('/readyz')).status === 503);
    const texts = ['first', 'second', 'third'].map((text) => `${text} while it is away`);
    for (const text of texts) {
      const { status } = await simulator.api('POST', `/accounts/${phone}/messages`, { from: contact, text });
      assert.equal(status, 201);
    }
    assert.deepEqual(refusal(await send('while it is away')), unavailable);
    assert.equal(await unacknowledged(), texts.length);
    proxy.mode = 'open';
    const told = () => receiver.requests.map(({ json }) => at(json, 'data', 'body'));
    await eventually(() => texts.every((text) => told().includes(text)), 30_000, told);
    await eventually(async () => (await unacknowledged()) === 0);
    for (const text of texts) assert.equal(told().filter((each) => each === text).length, 1);
    await unharmed('back again');
    assert.equal(await received('while it is away'), 0);
  });
});
