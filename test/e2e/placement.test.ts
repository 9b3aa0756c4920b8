import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';

describe('two sessions in one child', () => {
  let gateway: GatewayUnderTest;

  before(async () => {
    gateway = await GatewayUnderTest.start({ env: { SESSIONS_PER_CHILD: '2' } });
    await pairedSession(gateway, 'left', { phone: '15550020001' });
    await pairedSession(gateway, 'right', { phone: '15550020002' });
  });

  after(() => gateway.dispose());

  const pidOf = async (id: string): Promise<unknown> => at((await gateway.get(`/sessions/${id}`)).json, 'child', 'pid');
  const heard = (id: string, phone: string, text: string): Promise<unknown> =>
    eventually(async () => (await inbox(gateway, id, phone)).some((each) => at(each, 'text') === text), 15_000);

  test('share a process and both work', async () => {
    assert.equal(await pidOf('left'), await pidOf('right'));
    await gateway.must(200, '/sessions/left/messages/text', { to: '15550020002', text: 'to my neighbour' });
    await gateway.must(200, '/sessions/right/messages/text', { to: '15550020001', text: 'and back' });
    await heard('left', '15550020001', 'to my neighbour');
    await heard('right', '15550020002', 'and back');
    await requireCleanOracle(gateway, 'left');
  });

  test('stop one by one', async () => {
    const pid = await pidOf('left');
    await gateway.must(200, '/sessions/right/disconnect');
    assert.equal(at((await gateway.get('/sessions/left')).json, 'status'), 'connected');
    assert.equal(await pidOf('left'), pid);
    await gateway.must(200, '/sessions/right/connect');
    await untilConnected(gateway, 'right');
    assert.equal(await pidOf('right'), pid);
  });

  test('both come back when their process is killed', async () => {
    const pid = Number(await pidOf('left'));
    process.kill(pid, 'SIGKILL');
    await eventually(async () => (await pidOf('left')) !== pid && (await pidOf('right')) !== pid, 20_000);
    await untilConnected(gateway, 'left');
    await untilConnected(gateway, 'right');
  });
});
