import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

const contact = '15551234567';

describe('a gateway whose database goes away', () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;

  before(async () => {
    database = await createTestDatabase();
    proxy = await startDatabaseProxy(database.url);
    gateway = await GatewayUnderTest.start({ env: { DATABASE_URL: proxy.url }, database });
    receiver = await startHttpReceiver();
    await pairedSession(gateway, 'a', { phone: '15550030001', webhook: { url: receiver.url } });
    await gateway.must(201, '/sessions/a/sandbox/contacts', { phone: contact });
  });

  after(async () => {
    proxy.mode = 'open';
    await gateway.dispose();
    await proxy.close();
    await database.dispose();
    await receiver.close();
  });

  const probe = async (path: string): Promise<{ readonly status: number; readonly text: string }> =>
    gateway.api.call('GET', path, { token: null });
  const childOf = async (): Promise<unknown> => at((await gateway.get('/sessions/a')).json, 'child');
  const told = (): string[] =>
    receiver.requests
      .filter(({ json }) => at(json, 'event') === 'message')
      .map(({ json }) => String(at(json, 'data', 'body')));
  const received = async (text: string): Promise<number> =>
    (await inbox(gateway, 'a', contact)).filter((each) => at(each, 'text') === text).length;

  test('says so, sends nothing, and goes on when it is back: nothing lost, nothing doubled, no child restarted', async () => {
    const pid = at(await childOf(), 'pid');
    proxy.mode = 'cut';
    await eventually(async () => (await probe('/readyz')).status === 503, 10_000);
    assert.match((await probe('/readyz')).text, /\[-\]database: /);
    assert.equal((await probe('/livez')).status, 200);
    const refused = await gateway.post('/sessions/a/messages/text', { to: contact, text: 'while it is away' });
    assert.equal(refused.status, 503);
    assert.equal(at(refused.json, 'error', 'type'), 'storage_unavailable');

    proxy.mode = 'open';
    await eventually(async () => (await probe('/readyz')).status === 200, 10_000);
    assert.match((await probe('/readyz?verbose')).text, /\[\+\]database: ok/);
    await eventually(
      async () => (await gateway.post('/sessions/a/messages/text', { to: contact, text: 'back' })).status === 200,
      10_000,
    );
    assert.equal(await received('while it is away'), 0);
    assert.equal(await received('back'), 1);
    assert.equal(at(await childOf(), 'pid'), pid);
    assert.equal(at(await childOf(), 'restarts'), 0);
    await requireCleanOracle(gateway, 'a');
  });

  test('tells what came in meanwhile once it is back, and once only', async () => {
    const texts = ['first', 'second', 'third'].map((text) => `${text} while away`);
    await gateway.must(201, '/sessions/a/sandbox/messages', { from: contact, text: texts[0] ?? '' });
    proxy.mode = 'cut';
    // The sandbox's own routes look the session up, too: what they are asked for here may come through or not.
    await Promise.all(
      texts.slice(1).map((text) => gateway.post('/sessions/a/sandbox/messages', { from: contact, text })),
    );
    proxy.mode = 'open';
    await eventually(async () => (await probe('/readyz')).status === 200, 10_000);
    await eventually(() => told().includes(texts[0] ?? ''), 30_000, told);
    assert.equal(new Set(told()).size, told().length);
    await requireCleanOracle(gateway, 'a');
  });

  test('holds still: requests are answered in time, and it recovers', async () => {
    proxy.mode = 'still';
    const answer = await gateway.post('/sessions/a/messages/text', { to: contact, text: 'into the void' });
    assert.equal(answer.status, 503);
    await eventually(async () => (await probe('/readyz')).status === 503, 10_000);
    assert.equal((await probe('/livez')).status, 200);
    proxy.mode = 'open';
    await eventually(async () => (await probe('/readyz')).status === 200, 30_000);
    await eventually(
      async () =>
        (await gateway.post('/sessions/a/messages/text', { to: contact, text: 'through again' })).status === 200,
      30_000,
    );
    assert.equal(await received('through again'), 1);
  });

  test('is missing at the start: the process waits and says for what, and starts its sessions when it comes', async () => {
    assert.equal(await gateway.stop(), 0);
    proxy.mode = 'cut';
    const booting = gateway.boot();
    await eventually(async () => (await probe('/livez')).status === 200, 30_000);
    await eventually(async () => /database/.test((await probe('/readyz')).text), 30_000);
    assert.equal((await probe('/readyz')).status, 503);
    const refused = await gateway.get('/sessions');
    assert.deepEqual([refused.status, at(refused.json, 'error', 'type')], [503, 'storage_unavailable']);
    proxy.mode = 'open';
    await booting;
    await untilConnected(gateway, 'a');
    const child = await childOf();
    assert.deepEqual([at(child, 'restarts'), at(child, 'last_exit')], [0, null]);
  });

  test('is missing at the start: the process can be stopped all the same', async () => {
    assert.equal(await gateway.stop(), 0);
    proxy.mode = 'cut';
    const booting = gateway.boot().catch(() => 'never served');
    await eventually(async () => (await probe('/livez')).status === 200, 30_000);
    assert.equal(await gateway.stop(), 0);
    assert.equal(await booting, 'never served');
    proxy.mode = 'open';
    await gateway.boot();
    await untilConnected(gateway, 'a');
  });
});
