import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { answerWith } from '../support/http-receiver.ts';
import { reasonsOf, WebhookRig } from '../support/webhook-rig.ts';

const rig = WebhookRig.forTests();

const breaker = { failures: 3, firstPauseMs: 300, longestPauseMs: 1000 };
const longPause = { failures: 3, firstPauseMs: 3_600_000, longestPauseMs: 3_600_000 };
/** No retry of its own falls due within a test. */
const scheduleMs = [0, 3_600_000, 3_600_000, 3_600_000];
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('a receiver that keeps failing', () => {
  test('is left alone after failures in a row, and what waits loses no attempt', async () => {
    const hook = await rig.hook({ ordered: true });
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ breaker: longPause, scheduleMs: [0, 10, 10, 10, 10, 10] });
    await rig.tell(hook.session, '0');
    await eventually(async () => (await rig.view(hook)).health.retryAt !== null);
    for (const reason of numbers(20)) await rig.tell(hook.session, reason);
    const { health, queueDepth, oldestPendingAt, now } = await rig.view(hook);
    assert.equal(health.consecutiveFailures, 3);
    assert.equal(health.lastError, 'the receiver answered 500');
    assert.ok(health.failingSince !== null && health.failingSince <= (health.lastFailureAt ?? 0));
    assert.equal(queueDepth, 21);
    assert.ok(oldestPendingAt !== null && oldestPendingAt <= now);
    assert.equal(rig.receiver.requests.length, 3);
    assert.equal(await rig.count(`status = 'pending' and attempts = 0`), 20);
    const wait = (await rig.store.outbox.nextDueInMs()) ?? 0;
    assert.ok(wait > 3_000_000, `the dispatcher would look again in ${wait} ms`);
    assert.deepEqual(await rig.store.outbox.claim(10, 1000), []);
  });

  test('is tried with one delivery at a time until it is back, and then gets everything, under the same ids', async () => {
    const { session } = await rig.hook();
    rig.receiver.answer = answerWith(503);
    rig.dispatch({ breaker, scheduleMs });
    for (const reason of numbers(40)) await rig.tell(session, reason);
    await eventually(() => rig.receiver.requests.length >= 10, 20_000);
    const inVain = [...rig.receiver.requests];
    // The first ones were on their way together, at most seven; probes come one by one, each after a pause.
    const probes = inVain.slice(-3);
    for (const [index, probe] of probes.slice(1).entries())
      assert.ok(probe.at - (probes[index]?.at ?? 0) > 250, 'a probe came before its time');
    rig.receiver.answer = answerWith(200);
    await rig.until('delivered', 40, 20_000);
    const ids = (from: readonly { readonly json: unknown }[]): Set<unknown> =>
      new Set(from.map(({ json }) => at(json, 'id')));
    assert.equal(ids(rig.receiver.requests).size, 40);
    for (const id of ids(inVain)) assert.ok(ids(rig.receiver.requests.slice(inVain.length)).has(id));
  });

  test('is tried before the next attempt of its schedule, which that does not use up', async () => {
    const hook = await rig.hook({ ordered: true });
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ breaker: { ...breaker, failures: 1 }, scheduleMs: [0, 3_600_000] });
    await rig.tell(hook.session, 'only one');
    // Twice as often as the schedule allows.
    await eventually(() => rig.receiver.requests.length >= 4, 20_000);
    assert.equal(await rig.count(`status = 'pending' and attempts - schedule_offset = 1`), 1);
    rig.receiver.answer = answerWith(200);
    await rig.until('delivered', 1);
    assert.equal((await rig.view(hook)).health.retryAt, null);
  });

  test('does not keep the receivers of other webhooks waiting', async () => {
    const other = await rig.otherReceiver();
    const failing = await rig.hook();
    const working = await rig.hookOn(failing.session, { url: other.url });
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ breaker: longPause, scheduleMs });
    for (const reason of numbers(30)) await rig.tell(failing.session, reason);
    await eventually(() => other.requests.length === 30);
    assert.ok(rig.receiver.requests.length < 3 + 4);
    assert.equal((await rig.view(working)).health.consecutiveFailures, 0);
    assert.ok((await rig.view(working)).health.lastSuccessAt !== null);
  });

  test('is tried by one of two gateways on the same database', async () => {
    const hook = await rig.hook();
    for (const reason of numbers(10)) await rig.tell(hook.session, reason);
    await rig.database.query(`update webhook_health set pause_ms = 1000, retry_at = now()`);
    const late = await rig.besides(`update webhook_health set probe_until = now() + interval '1 minute'`, () =>
      rig.store.outbox.claim(10, 60_000),
    );
    assert.deepEqual(late, []);
    await rig.database.query(`update webhook_health set probe_until = now() - interval '1 second'`);
    assert.equal((await rig.store.outbox.claim(10, 60_000)).length, 1);
    const { health, now } = await rig.view(hook);
    assert.ok(health.probeUntil !== null && health.probeUntil > now);
    assert.deepEqual(await rig.store.outbox.claim(10, 60_000), []);
  });

  test('is tried again when the gateway died with the probe on its way', async () => {
    const { session } = await rig.hook();
    await rig.tell(session, 'probe');
    await rig.database.query(`update webhook_health set pause_ms = 1000, retry_at = now()`);
    const [probe] = await rig.store.outbox.claim(10, 500);
    assert.ok(probe !== undefined);
    rig.dispatch();
    await eventually(() => rig.receiver.requests.length === 1);
    assert.equal(rig.receiver.requests[0]?.headers['webhook-id'], probe.event.id);
  });

  test('is left alone as long as it asks for', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = answerWith(429, { 'retry-after': '600' });
    rig.dispatch({ breaker: { ...breaker, failures: 1 }, scheduleMs });
    await rig.tell(hook.session, 'too much');
    const { health } = await eventually(async () => {
      const view = await rig.view(hook);
      return view.health.retryAt !== null && view;
    });
    assert.ok((health.retryAt ?? 0) - (health.lastFailureAt ?? 0) >= 600_000);
  });

  test('gets all that waits at once when its webhook is enabled anew', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ breaker: longPause, scheduleMs });
    for (const reason of numbers(6)) await rig.tell(hook.session, reason);
    await eventually(async () => (await rig.view(hook)).health.retryAt !== null);
    rig.receiver.answer = answerWith(200);
    assert.equal(await rig.store.webhooks.enable(hook.session, hook.webhook.id), true);
    await rig.until('delivered', 6);
    const { health } = await rig.view(hook);
    assert.equal(health.consecutiveFailures, 0);
    assert.equal(health.failingSince, null);
  });
});

describe('a webhook is given up', () => {
  const fiveDaysAgo = `update webhook_health set failing_since = now() - interval '5 days 1 hour',
    last_failure_at = now() - interval '1 day', failure_days = 5, consecutive_failures = 50`;

  test('after five days without a success, and the others are told why, once', async () => {
    const other = await rig.otherReceiver();
    const hook = await rig.hook();
    await rig.hookOn(hook.session, { url: other.url, events: ['webhook_disabled'] });
    rig.receiver.answer = answerWith(502);
    await rig.database.query(`${fiveDaysAgo} where webhook_id = $1`, [hook.webhook.id]);
    rig.dispatch({ scheduleMs });
    await rig.tell(hook.session, 'the last one');
    await rig.tell(hook.session, 'and another');
    await eventually(() => other.requests.length === 1);
    const data = at(other.requests[0]?.json, 'data');
    assert.equal(at(data, 'webhook_id'), hook.webhook.id);
    assert.match(String(at(data, 'reason')), /5 days without one success.*the receiver answered 502/);
    const { webhook } = await rig.view(hook);
    assert.equal(webhook.enabled, false);
    assert.equal(webhook.disabledReason, at(data, 'reason'));
    await eventually(async () => (await rig.count('lease_until is not null')) === 0);
    // What waits is kept, and goes on when somebody has repaired the receiver.
    rig.receiver.answer = answerWith(200);
    const before = rig.receiver.requests.length;
    await rig.store.webhooks.enable(hook.session, hook.webhook.id);
    await eventually(() => rig.receiver.requests.length === before + 2);
    assert.deepEqual(new Set(reasonsOf(rig.receiver.requests.slice(before))), new Set(['and another', 'the last one']));
    assert.equal((await rig.view(hook)).webhook.disabledReason, null);
    assert.equal(other.requests.length, 1);
  });

  test('not when one delivery came through meanwhile', async () => {
    const hook = await rig.hook();
    await rig.database.query(fiveDaysAgo);
    rig.dispatch({ scheduleMs });
    await rig.tell(hook.session, 'works');
    await rig.until('delivered', 1);
    rig.receiver.answer = answerWith(500);
    await rig.tell(hook.session, 'fails');
    await eventually(() => rig.receiver.requests.length === 2);
    await eventually(async () => (await rig.view(hook)).health.consecutiveFailures === 1);
    assert.equal((await rig.view(hook)).webhook.enabled, true);
  });

  test('at once when its receiver is gone for good', async () => {
    const other = await rig.otherReceiver();
    const hook = await rig.hook();
    await rig.hookOn(hook.session, { url: other.url, events: ['webhook_disabled'] });
    rig.receiver.answer = answerWith(410);
    rig.dispatch();
    await Promise.all(numbers(4).map((reason) => rig.tell(hook.session, reason)));
    await eventually(() => other.requests.length === 1);
    assert.match(String(at(other.requests[0]?.json, 'data', 'reason')), /410 Gone/);
    await eventually(async () => (await rig.count('lease_until is not null')) === 0);
    assert.equal(other.requests.length, 1);
  });
});
