import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { untilConnected } from '../support/gateway.ts';
import { PairedGateway } from '../support/paired-gateway.ts';

describe('events about a session itself', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start();
  });

  after(() => support.dispose());

  const statuses = () => support.events('session_status').map((data) => at(data, 'status'));

  test('every change of status is told in order, with the one before and a reason', async () => {
    await eventually(
      () => statuses().at(-1) === 'connected',
      15_000,
      () => support.events('session_status'),
    );
    const told = support.events('session_status');
    assert.ok(statuses().includes('waiting_for_qr'));
    told.forEach((data, index) => {
      assert.notEqual(at(data, 'status'), at(data, 'previous'));
      if (index > 0) assert.equal(at(data, 'previous'), at(told[index - 1], 'status'));
      assert.ok(String(at(data, 'reason')).length > 5);
    });
  });

  test('disconnecting and connecting again are told', async () => {
    const before = statuses().length;
    await support.ask('/disconnect', {});
    await eventually(() => statuses().at(-1) === 'disconnected');
    await support.ask('/connect', {});
    await untilConnected(support.gateway, 'support');
    await eventually(() => statuses().at(-1) === 'connected');
    assert.deepEqual(statuses().slice(before), ['disconnected', 'connecting', 'connected']);
    assert.equal(support.events('session_restarted').length, 0);
  });

  test('a process that was killed and started again is told with its cause', async () => {
    const session = await support.ask('');
    process.kill(Number(at(session, 'child', 'pid')), 'SIGKILL');
    const restarted = await support.event('session_restarted');
    assert.equal(at(restarted, 'cause'), 'external_kill');
    assert.match(String(at(restarted, 'detail')), /killed the process/);
    assert.equal(at(restarted, 'restarts'), 1);
    await eventually(() => statuses().at(-1) === 'connected', 30_000);
    assert.deepEqual(statuses().slice(-2), ['connecting', 'connected']);
    assert.equal(support.events('session_restarted').length, 1);
  });

  test('a restart that was asked for is none of these', async () => {
    const connected = support.events('connected').length;
    await support.ask('/restart', {});
    await eventually(() => support.events('connected').length > connected, 30_000);
    await eventually(() => statuses().at(-1) === 'connected');
    assert.equal(support.events('session_restarted').length, 1);
  });
});
