import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import {
  GatewayUnderTest,
  inbox,
  pairedSession,
  requireCleanOracle,
  untilConnected,
  untilStatus,
} from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

const contact = '15551234567';

describe('a gateway', () => {
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;

  before(async () => {
    gateway = await GatewayUnderTest.start();
    receiver = await startHttpReceiver();
  });

  after(async () => {
    await gateway.dispose();
    await receiver.close();
  });

  const texts = (session: string): string[] =>
    receiver.requests
      .filter(({ json }) => at(json, 'session_id') === session && at(json, 'event') === 'message')
      .map(({ json }) => String(at(json, 'data', 'body')));

  const childPid = async (id: string): Promise<number> =>
    Number(at((await gateway.get(`/sessions/${id}`)).json, 'child', 'pid'));

  test('lets two of its sessions write to each other', async () => {
    await pairedSession(gateway, 'alpha', { phone: '15550010001', webhook: { url: receiver.url } });
    await pairedSession(gateway, 'beta', { phone: '15550010002', webhook: { url: receiver.url } });
    await gateway.must(200, '/sessions/alpha/messages/text', { to: '15550010002', text: 'Ping from alpha' });
    await eventually(
      () => texts('beta').includes('Ping from alpha'),
      15_000,
      () => texts('beta'),
    );
    await gateway.must(200, '/sessions/beta/messages/text', { to: '15550010001', text: 'Pong from beta' });
    await eventually(
      () => texts('alpha').includes('Pong from beta'),
      15_000,
      () => texts('alpha'),
    );
    await requireCleanOracle(gateway, 'alpha');
    await requireCleanOracle(gateway, 'beta');
  });

  test('brings a killed session back without a new QR code, and loses nothing of a conversation', async () => {
    await pairedSession(gateway, 'killed', { phone: '15550010003', webhook: { url: receiver.url } });
    await gateway.must(201, '/sessions/killed/sandbox/contacts', { phone: contact });
    const incoming: string[] = [];
    const outgoing: string[] = [];
    for (let round = 0; round < 4; round++) {
      const pid = await childPid('killed');
      for (let n = 0; n < 5; n++) {
        const text = `in ${round}.${n}`;
        incoming.push(text);
        await gateway.must(201, '/sessions/killed/sandbox/messages', { from: contact, text });
      }
      const sends = [0, 1, 2].map(async (n) => {
        const text = `out ${round}.${n}`;
        const answer = await gateway.post('/sessions/killed/messages/text', { to: contact, text });
        if (answer.status === 200 || answer.status === 202) outgoing.push(text);
      });
      process.kill(pid, 'SIGKILL');
      await Promise.all(sends);
      await eventually(async () => (await childPid('killed')) !== pid, 20_000);
      await untilConnected(gateway, 'killed');
    }
    await eventually(
      () => incoming.every((text) => texts('killed').includes(text)),
      40_000,
      () => ({
        missing: incoming.filter((text) => !texts('killed').includes(text)),
      }),
    );
    await eventually(
      async () => {
        const received = (await inbox(gateway, 'killed', contact)).map((each) => at(each, 'text'));
        return outgoing.every((text) => received.filter((each) => each === text).length === 1);
      },
      40_000,
      async () => ({ outgoing, received: (await inbox(gateway, 'killed', contact)).map((each) => at(each, 'text')) }),
    );
    const told = texts('killed').filter((text) => text.startsWith('in '));
    assert.equal(new Set(told).size, told.length, 'each message is told once');
    const session = (await gateway.get('/sessions/killed')).json;
    assert.equal(at(session, 'child', 'restarts'), 4);
    assert.equal(at(session, 'child', 'last_exit', 'cause'), 'external_kill');
    await requireCleanOracle(gateway, 'killed');
  });

  test('restores after its own restart exactly the sessions that should run, and what came meanwhile arrives once', async () => {
    await pairedSession(gateway, 'runs', { phone: '15550010004', webhook: { url: receiver.url } });
    await pairedSession(gateway, 'rests', { phone: '15550010005' });
    await gateway.must(200, '/sessions/rests/disconnect');
    await untilStatus(gateway, 'rests', 'disconnected');
    await gateway.must(201, '/sessions', { id: 'unpaired', sandbox: true });
    await untilStatus(gateway, 'unpaired', 'waiting_for_qr');
    // A stopped session's contact writes while nobody is there.
    await gateway.must(201, '/sessions/rests/sandbox/messages', { from: contact, text: 'while you rested' });

    const code = await gateway.stop();
    assert.equal(code, 0);
    await gateway.boot();
    await untilConnected(gateway, 'runs');
    await untilStatus(gateway, 'unpaired', 'waiting_for_qr');
    assert.equal(at((await gateway.get('/sessions/rests')).json, 'status'), 'disconnected');

    await gateway.must(201, '/sessions/rests/webhooks', { url: receiver.url, events: ['message'] });
    await gateway.must(200, '/sessions/rests/connect');
    await untilConnected(gateway, 'rests');
    await eventually(
      () => texts('rests').includes('while you rested'),
      15_000,
      () => texts('rests'),
    );
    assert.deepEqual(texts('rests'), ['while you rested']);
    const told = receiver.requests.find(({ json }) => at(json, 'session_id') === 'rests');
    assert.equal(at(told?.json, 'data', 'backfilled'), true);
  });

  test('leaves no process behind when it is killed, and comes back without a conflict', async () => {
    await pairedSession(gateway, 'orphan', { phone: '15550010006' });
    const pid = await childPid('orphan');
    await gateway.kill();
    await eventually(() => !isAlive(pid), 10_000);
    await gateway.boot();
    await untilConnected(gateway, 'orphan');
    assert.equal(at((await gateway.get('/sessions/orphan')).json, 'status'), 'connected');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
