import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';

const contact = '15551234567';
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

describe('what people see and change of the processes behind their sessions', () => {
  let gateway: GatewayUnderTest;

  before(async () => {
    gateway = await GatewayUnderTest.start({
      env: {
        SESSIONS_PER_CHILD: '2',
        MAX_SESSIONS: '3',
        SESSION_MEMORY_MB: '400',
        MEMORY_SOFT_RATIO: '0.15',
        RECYCLE_QUIET_MS: '2000',
      },
    });
    await pairedSession(gateway, 'left', { phone: '15550040001' });
    await pairedSession(gateway, 'right', { phone: '15550040002' });
    await gateway.must(201, '/sessions/left/sandbox/contacts', { phone: contact });
  });

  after(() => gateway.dispose());

  const patch = (id: string, body: unknown) => gateway.api.call('PATCH', `/api/v1/sessions/${id}`, { body });
  const childOf = async (id: string): Promise<unknown> => at((await gateway.get(`/sessions/${id}`)).json, 'child');
  const pidOf = async (id: string): Promise<number> => Number(at(await childOf(id), 'pid'));
  const exitsOf = async (id: string): Promise<readonly unknown[]> => {
    const exits: unknown = at((await gateway.get(`/sessions/${id}/children`)).json, 'exits');
    return isList(exits) ? exits : [];
  };

  test('the numbers of all processes', async () => {
    const { status, json } = await eventually(async () => {
      const answer = await gateway.get('/stats');
      return Number(at(answer.json, 'children', '0', 'heap_bytes')) > 0 ? answer : null;
    });
    assert.equal(status, 200);
    assert.deepEqual(at(json, 'sessions'), { hosted: 2, connected: 2 });
    assert.deepEqual(at(json, 'children', '0', 'sessions'), ['left', 'right']);
    for (const kind of ['supervisor', 'children', 'simulator', 'total']) {
      assert.ok(Number(at(json, 'processes', kind, 'pss_bytes')) > 1_000_000, kind);
    }
    assert.equal(at(json, 'processes', 'postgres'), null);
    assert.equal(at(json, 'breaker', 'state'), 'closed');
    assert.ok(Number(at(json, 'admission', 'free_bytes')) > 0);
  });

  test('a killed process leaves a record that says when the session was back', async () => {
    const pid = await pidOf('left');
    process.kill(pid, 'SIGKILL');
    await eventually(async () => (await pidOf('left')) !== pid, 20_000);
    await untilConnected(gateway, 'left');
    const record = await eventually(async () => {
      const [latest] = await exitsOf('left');
      return Number(at(latest, 'back_at')) > 0 ? latest : null;
    }, 20_000);
    assert.deepEqual(
      [at(record, 'cause'), at(record, 'signal'), at(record, 'pid'), at(record, 'action')],
      ['external_kill', 'SIGKILL', pid, 'restarted'],
    );
    assert.equal((await gateway.get('/sessions/left/children?cursor=nonsense')).status, 400);
    await untilConnected(gateway, 'right');
  });

  test('a session can be isolated', async () => {
    const shared = await pidOf('right');
    const answer = await patch('right', { isolated: true });
    assert.equal(answer.status, 200);
    assert.equal(at(answer.json, 'isolated'), true);
    await untilConnected(gateway, 'right');
    assert.notEqual(await pidOf('right'), shared);
    assert.equal(await pidOf('left'), shared);
    assert.equal(at(await childOf('right'), 'sessions'), 1);
  });

  test('a child beyond its soft limit is replaced: no logout, no new QR code, no message lost', async () => {
    const pid = await pidOf('left');
    await patch('left', { memory_cap_mb: 64 });
    const sent: string[] = [];
    await eventually(async () => {
      const text = `message ${sent.length}`;
      const { status } = await gateway.post('/sessions/left/messages/text', { to: contact, text });
      if (status === 200 || status === 202) sent.push(text);
      return (await pidOf('left')) !== pid && (await pidOf('left')) > 0;
    }, 30_000);
    await untilConnected(gateway, 'left');
    const record = await eventually(
      async () => (await exitsOf('left')).find((each) => at(each, 'cause') === 'memory'),
      20_000,
    );
    assert.deepEqual([at(record, 'exit_code'), at(record, 'action')], [86, 'restarted']);
    await eventually(async () => {
      const texts = (await inbox(gateway, 'left', contact)).map((each) => at(each, 'text'));
      return sent.every((text) => texts.filter((each) => each === text).length === 1);
    }, 40_000);
    const warned = await eventually(async () => at(await childOf('left'), 'memory_warning'), 20_000);
    assert.match(String(warned), /raise memory_cap_mb/);
    await requireCleanOracle(gateway, 'left');
    await patch('left', { memory_cap_mb: null });
  });

  test('more sessions than this gateway takes are refused', async () => {
    await gateway.must(201, '/sessions', { id: 'third', sandbox: true, auto_connect: false });
    const answer = await gateway.post('/sessions', { id: 'fourth', sandbox: true });
    assert.deepEqual([answer.status, at(answer.json, 'error', 'type')], [507, 'capacity_exhausted']);
    assert.match(answer.text, /MAX_SESSIONS/);
  });
});
