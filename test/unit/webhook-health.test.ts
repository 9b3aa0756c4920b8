import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EndpointHealth } from '../../src/store/webhook-records.ts';
import {
  afterFailure,
  afterInterruption,
  afterSuccess,
  breakerStateOf,
  freshHealth,
  type BreakerSettings,
} from '../../src/webhooks/breaker.ts';
import { disableReason } from '../../src/webhooks/disable-rule.ts';

const settings: BreakerSettings = { failures: 3, firstPauseMs: 30_000, longestPauseMs: 100_000 };
const start = Date.parse('2026-03-01T10:00:00Z');
const dayMs = 86_400_000;

interface Step {
  readonly at: number;
  readonly retryAfterMs?: number;
}

const fail = (health: EndpointHealth, { at, retryAfterMs }: Step): EndpointHealth =>
  afterFailure(health, { now: at, error: 'the receiver answered 500', retryAfterMs: retryAfterMs ?? null }, settings);

const failTimes = (times: number, at = start): EndpointHealth =>
  Array.from({ length: times }).reduce<EndpointHealth>((health) => fail(health, { at }), freshHealth);

/** One delivery is on its way to find out. */
const probing = (health: EndpointHealth): EndpointHealth => ({
  ...health,
  probeUntil: (health.retryAt ?? 0) + 60_000,
});

describe('the breaker of an endpoint', () => {
  test('stays closed below the limit of failures in a row, and a success begins the count anew', () => {
    const two = failTimes(2);
    assert.equal(breakerStateOf(two, start), 'closed');
    const forgiven = afterSuccess(two, start + 1);
    assert.deepEqual(forgiven, {
      ...freshHealth,
      lastSuccessAt: start + 1,
      lastFailureAt: start,
      lastError: 'the receiver answered 500',
    });
    assert.equal(breakerStateOf(fail(fail(forgiven, { at: start + 2 }), { at: start + 3 }), start + 3), 'closed');
  });

  test('opens at the limit for the first pause', () => {
    const open = failTimes(3);
    assert.equal(breakerStateOf(open, start), 'open');
    assert.equal(open.retryAt, start + 30_000);
    assert.equal(open.consecutiveFailures, 3);
  });

  test('doubles the pause after each probe in vain, up to the longest', () => {
    let health = failTimes(3);
    for (const pauseMs of [60_000, 100_000, 100_000]) {
      const at = health.retryAt ?? 0;
      health = fail(probing(health), { at });
      assert.equal(health.retryAt, at + pauseMs);
      assert.equal(health.probeUntil, null);
    }
  });

  test('is half open while a probe is on its way, and open again when that probe is lost', () => {
    const health = probing(failTimes(3));
    const at = health.retryAt ?? 0;
    assert.equal(breakerStateOf(health, at + 1), 'half_open');
    assert.equal(breakerStateOf(health, at + 60_001), 'open');
    assert.equal(breakerStateOf(afterInterruption(health), at + 1), 'open');
  });

  test('is not opened for longer by failures that were under way when it opened', () => {
    const open = failTimes(3);
    const late = fail(open, { at: start + 5000 });
    assert.equal(late.retryAt, open.retryAt);
    assert.equal(late.pauseMs, open.pauseMs);
    assert.equal(late.consecutiveFailures, 4);
  });

  test('closes with the first success, whoever brings it', () => {
    assert.equal(breakerStateOf(afterSuccess(failTimes(3), start), start), 'closed');
    assert.equal(breakerStateOf(afterSuccess(probing(failTimes(3)), start), start), 'closed');
  });

  test('leaves the receiver alone for as long as it asks', () => {
    const asked = fail(failTimes(2), { at: start, retryAfterMs: 3_600_000 });
    assert.equal(asked.retryAt, start + 3_600_000);
    const short = fail(failTimes(2), { at: start, retryAfterMs: 1000 });
    assert.equal(short.retryAt, start + 30_000);
  });
});

describe('the rule that disables a webhook', () => {
  const failing = (...days: readonly number[]): EndpointHealth =>
    days.reduce<EndpointHealth>((health, day) => fail(health, { at: start + day * dayMs }), freshHealth);
  const isDisabled = (health: EndpointHealth, day: number): boolean =>
    disableReason(health, start + day * dayMs, 5) !== null;

  test('waits for five days without a success', () => {
    assert.equal(isDisabled(failing(0, 1, 2, 3, 4), 4), false);
    assert.equal(isDisabled(failing(0, 1, 2, 3, 4.99), 4.99), false);
    assert.equal(isDisabled(failing(0, 5), 5), true);
  });

  test('does not count a single bad day, however long ago it began', () => {
    assert.equal(isDisabled(failing(0), 6), false);
    assert.equal(isDisabled(failing(0, 0.1, 0.2), 6), false);
  });

  test('begins anew after a success', () => {
    const recovered = afterSuccess(failing(0, 1, 2, 3, 4), start + 4.5 * dayMs);
    const again = fail(recovered, { at: start + 5 * dayMs });
    assert.equal(isDisabled(again, 5), false);
    assert.equal(again.failureDays, 1);
    assert.equal(isDisabled(fail(again, { at: start + 10 * dayMs }), 10), true);
  });

  test('says in words what happened and what to do, and can be switched off', () => {
    const reason = disableReason(failing(0, 5), start + 5 * dayMs, 5) ?? '';
    assert.match(reason, /5 days without one success.*the receiver answered 500.*enable/);
    assert.equal(disableReason(failing(0, 100), start + 100 * dayMs, 0), null);
  });
});
