import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { pixel } from '../support/crash-traffic.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';

const contact = '15551230008';

describe('a message with a file', () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let gateway: GatewayUnderTest;

  before(async () => {
    database = await createTestDatabase();
    proxy = await startDatabaseProxy(database.url);
    gateway = await GatewayUnderTest.start({ env: { DATABASE_URL: proxy.url }, database });
    await pairedSession(gateway, 'a', { phone: '15550060008' });
    // A receipt would say as much as an ack.
    await gateway.must(201, '/sessions/a/sandbox/contacts', { phone: contact, behaviour: 'silent' });
  });

  after(async () => {
    proxy.commits.release();
    await gateway.dispose();
    await proxy.close();
    await database.dispose();
  });

  test('is sent, and arrives once, when the process dies after the ack and before that is committed', async () => {
    await gateway.must(200, '/sessions/a/sandbox/faults', { fault: 'slow_acks', delay_ms: 1500 });
    const body = { to: contact, base64: pixel, caption: 'Look' };
    const answered = gateway.post('/sessions/a/messages/image', body).catch(() => null);
    const copies = async () => (await inbox(gateway, 'a', contact)).filter((copy) => at(copy, 'caption') === 'Look');
    await eventually(async () => (await copies()).length === 1, 20_000);
    proxy.commits.hold('request');
    await eventually(() => proxy.commits.held > 0, 20_000);
    const status = async () => (await database.query("select status from messages where operation = 'sendImage'"))[0];
    assert.deepEqual(await status(), { status: 'accepted' });
    const pid = Number(at((await gateway.get('/sessions/a')).json, 'child', 'pid'));
    process.kill(pid, 'SIGKILL');
    proxy.commits.drop();
    await answered;
    await untilConnected(gateway, 'a');
    await eventually(
      async () => at(await status(), 'status') === 'sent',
      30_000,
      async () => ({ status: await status(), log: gateway.output.slice(-3000) }),
    );
    assert.equal((await copies()).length, 1);
    await requireCleanOracle(gateway, 'a');
  });
});
