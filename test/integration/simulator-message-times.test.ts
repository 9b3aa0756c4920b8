import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { machineMs } from '../../src/clock.ts';
import { at } from '../support/api-client.ts';
import { contact, SimulatedAccount } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550102001';

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

describe('when messages pass the simulator', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;

  before(async () => {
    simulator = await startSimulator();
    alice = await new SimulatedAccount(simulator, '15550102000').link();
    await contact(simulator, { phone: ann, name: 'Ann', behaviour: 'silent' });
  });
  after(async () => {
    await alice.client.close();
    await simulator.stop();
  });

  async function take(): Promise<readonly unknown[]> {
    const { status, body } = await simulator.api('POST', '/message-times/take');
    assert.equal(status, 200);
    const { times } = body;
    assert.ok(isList(times));
    return times;
  }

  test('nothing is kept before somebody asks', async () => {
    await alice.ack(await alice.send(`${ann}@s.whatsapp.net`, 'before'));
    assert.deepEqual(await take(), []);
  });

  test('both directions are told once, on the clock that all processes share', async () => {
    await take();
    const startedAt = machineMs();
    const sentId = await alice.send(`${ann}@s.whatsapp.net`, 'out');
    await alice.ack(sentId);
    const receivedId = await alice.write({ from: ann, text: 'in' });
    await alice.received('in');
    const times = await take();
    const told = times.map((each) => [at(each, 'passage'), at(each, 'message_id')]);
    assert.deepEqual(told, [
      ['from_client', sentId],
      ['to_client', receivedId],
    ]);
    for (const each of times) {
      const atMs = Number(at(each, 'at_ms'));
      assert.ok(atMs > startedAt && atMs < machineMs(), `${atMs} lies outside`);
    }
    assert.deepEqual(await take(), []);
  });
});
