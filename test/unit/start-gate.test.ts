import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LinkGate, StartGate, type Slot } from '../../src/supervisor/start-gate.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the start gate', () => {
  test('lets only so many boot at a time, first come first served', async () => {
    const gate = new StartGate(2);
    const slots: Slot[] = [];
    const order: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      gate.await((slot) => {
        order.push(name);
        slots.push(slot);
      });
    }
    await turn();
    assert.deepEqual(order, ['a', 'b']);
    slots[0]?.release();
    slots[0]?.release();
    await turn();
    assert.deepEqual(order, ['a', 'b', 'c']);
  });

  test('a place in line can be given up', async () => {
    const gate = new StartGate(1);
    const order: string[] = [];
    gate.await((slot) => {
      order.push('a');
      slot.release();
    });
    const leave = gate.await(() => order.push('b'));
    gate.await(() => order.push('c'));
    leave();
    await turn();
    assert.deepEqual(order, ['a', 'c']);
  });
});

describe('the link gate', () => {
  test('lets a burst through at once and spreads what comes after', async () => {
    const gate = new LinkGate({
      ratePerSecond: 20,
      burst: 2,
      clock: { now: () => 0, monotonic: () => 0 },
      random: () => 0,
    });
    const { signal } = new AbortController();
    const begun = performance.now();
    await Promise.all([gate.pass(signal), gate.pass(signal)]);
    assert.ok(performance.now() - begun < 40);
    await Promise.all([gate.pass(signal), gate.pass(signal)]);
    assert.ok(performance.now() - begun >= 95);
  });

  test('whoever gives up while waiting gives the turn back', async () => {
    let now = 0;
    const gate = new LinkGate({
      ratePerSecond: 1,
      burst: 1,
      clock: { now: () => 0, monotonic: () => now },
      random: () => 0,
    });
    const patient = new AbortController();
    assert.equal(await gate.pass(patient.signal), true);
    const waiting = gate.pass(patient.signal);
    patient.abort();
    assert.equal(await waiting, false);
    now = 1000;
    assert.equal(await gate.pass(new AbortController().signal), true);
  });
});
