import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { answerWith } from '../support/http-receiver.ts';
import { createOwnedSession, hasCode } from '../support/store-fixtures.ts';
import { everyDelivery, reasonsOf, WebhookRig, type Hook } from '../support/webhook-rig.ts';

const rig = WebhookRig.forTests();

const chat = '15550100001@s.whatsapp.net';

describe('the log of deliveries', () => {
  test('tells of every attempt: when, how long, what was answered, and why it failed', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = (response) => void response.writeHead(500).end('database is down');
    const begun = systemClock.now();
    rig.dispatch({ scheduleMs: [0, 20, 20] });
    await rig.tell(hook.session, 'x');
    await eventually(() => rig.receiver.requests.length === 2);
    rig.receiver.answer = (response) => void response.writeHead(201).end('stored');
    await rig.until('delivered', 1);
    const [delivery] = await rig.log(hook);
    assert.ok(delivery !== undefined);
    assert.equal(delivery.status, 'delivered');
    assert.equal(delivery.name, 'logged_out');
    assert.equal(delivery.dueAt, null);
    assert.equal(delivery.attemptCount, 3);
    const shown = delivery.attempts.map(({ number, httpStatus, error, excerpt }) => [
      number,
      httpStatus,
      error,
      excerpt,
    ]);
    assert.deepEqual(shown, [
      [1, 500, 'the receiver answered 500', 'database is down'],
      [2, 500, 'the receiver answered 500', 'database is down'],
      [3, 201, null, 'stored'],
    ]);
    for (const attempt of delivery.attempts) {
      assert.ok(attempt.at >= begun - 1000 && attempt.at <= systemClock.now() + 1000);
      assert.ok(attempt.durationMs >= 0 && attempt.durationMs < 2000);
    }
    const whole = await rig.store.deliveries.get(hook.key, delivery.eventId);
    assert.deepEqual(whole?.data, { reason: 'x', code: null });
  });

  test('is newest first, in pages, and can be narrowed down', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = (response, { json }) =>
      void response.writeHead(at(json, 'event') === 'message' ? 200 : 400).end();
    rig.dispatch({ scheduleMs: [0] });
    await rig.settle(hook, '1', '2', '3');
    await rig.say(hook.session, chat, 'hello');
    await rig.until('delivered', 1);
    const all = await rig.log(hook);
    assert.deepEqual(
      all.map(({ sequence }) => sequence),
      [4, 3, 2, 1],
    );
    const first = await rig.store.deliveries.list(hook.key, { ...everyDelivery, limit: 3, cursor: null });
    assert.equal(first.total, 4);
    const second = await rig.store.deliveries.list(hook.key, { ...everyDelivery, limit: 3, cursor: first.nextCursor });
    assert.deepEqual([...first.rows, ...second.rows], all);
    assert.equal(second.nextCursor, null);
    assert.equal((await rig.log(hook, { status: 'dead' })).length, 3);
    assert.equal((await rig.log(hook, { event: 'message' })).length, 1);
    const now = systemClock.now();
    assert.equal((await rig.log(hook, { from: now - 60_000, to: now + 60_000 })).length, 4);
    assert.equal((await rig.log(hook, { from: now + 60_000 })).length, 0);
    assert.equal((await rig.log(hook, { to: now - 60_000 })).length, 0);
    await assert.rejects(
      rig.store.deliveries.list(hook.key, { ...everyDelivery, limit: 3, cursor: 'eDEy' }),
      hasCode('invalid_request'),
    );
  });

  test('shows what waits for a disabled webhook as held', async () => {
    const hook = await rig.hook();
    await rig.tell(hook.session, 'waits');
    assert.deepEqual(
      (await rig.log(hook)).map(({ status }) => status),
      ['pending'],
    );
    await rig.store.webhooks.switchOff(hook.session, hook.webhook.id);
    await rig.tell(hook.session, 'is not even created');
    assert.equal((await rig.log(hook, { status: 'held' })).length, 1);
    assert.equal((await rig.log(hook, { status: 'pending' })).length, 0);
    rig.dispatch();
    await rig.store.webhooks.enable(hook.session, hook.webhook.id);
    await rig.until('delivered', 1);
    assert.deepEqual(reasonsOf(rig.receiver.requests), ['waits']);
  });

  test('belongs to its session: nobody reaches it through another one', async () => {
    const hook = await rig.hook();
    rig.dispatch();
    await rig.settle(hook, 'private');
    const [delivery] = await rig.log(hook);
    const { session: stranger } = await createOwnedSession(rig.store, 'stranger');
    const key = { session: stranger, webhook: hook.webhook.id };
    const { deliveries, webhooks } = rig.store;
    const range = { from: null, to: null };
    const refused = hasCode('webhook_not_found');
    await assert.rejects(deliveries.list(key, { ...everyDelivery, limit: 1, cursor: null }), refused);
    await assert.rejects(deliveries.get(key, delivery?.eventId ?? ''), refused);
    await assert.rejects(deliveries.replay(key, delivery?.eventId ?? ''), refused);
    await assert.rejects(deliveries.replayAll(key, { status: 'all', ...range }), refused);
    await assert.rejects(deliveries.createMissed(key, range), refused);
    const test = { name: 'test', data: { webhook_id: 'x', message: 'x' } } as const;
    assert.equal(await deliveries.createOnly(key, test, { at: 0, leaseMs: 1 }), null);
    assert.equal(await webhooks.get(stranger, key.webhook), null);
    assert.equal(await webhooks.update(stranger, key.webhook, { ordered: true }), false);
    assert.equal(await webhooks.enable(stranger, key.webhook), false);
    assert.equal(await webhooks.switchOff(stranger, key.webhook), false);
    assert.equal(await webhooks.delete(stranger, key.webhook), false);
    assert.equal(await webhooks.rotateSecret(stranger, key.webhook, { secret: 'another one', overlapMs: 1 }), null);
  });
});

describe('an answer', () => {
  const excerptOf = async (hook: Hook): Promise<string | null | undefined> =>
    (await rig.log(hook))[0]?.attempts.at(-1)?.excerpt;

  test('without end is cut, its socket closed, and its beginning kept', async () => {
    const hook = await rig.hook();
    let written = 0;
    let isClosed = false;
    rig.receiver.answer = (response) => {
      response.on('close', () => (isClosed = true)).writeHead(500);
      const flood = (): void => {
        while (!response.destroyed) {
          written += 16_384;
          if (!response.write('é'.repeat(8_192))) return void response.once('drain', flood);
        }
      };
      flood();
    };
    rig.dispatch({ scheduleMs: [0] });
    await rig.settle(hook, 'flood');
    await eventually(() => isClosed);
    assert.equal(await excerptOf(hook), 'é'.repeat(512));
    assert.ok(written < 20_000_000, `${written} bytes were taken`);
  });

  test('that trickles does not keep the delivery from ending', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = (response) => void response.writeHead(200).write('well');
    rig.dispatch({ timeoutMs: 700 });
    await rig.settle(hook, 'slow');
    assert.equal(await excerptOf(hook), 'well');
    assert.equal((await rig.log(hook))[0]?.status, 'delivered');
  });

  test('of any bytes becomes valid text, cut between characters', async () => {
    const hook = await rig.hook();
    rig.dispatch({ scheduleMs: [0] });
    rig.receiver.answer = (response) => void response.writeHead(200).end(`${'x'.repeat(1023)}😀`);
    await rig.settle(hook, 'cut');
    assert.equal(await excerptOf(hook), 'x'.repeat(1023));
    rig.receiver.answer = (response) => void response.writeHead(200).end(Buffer.from([0x61, 0x00, 0xff, 0x62]));
    await rig.settle(hook, 'binary');
    assert.equal(await excerptOf(hook), 'a\uFFFD\uFFFDb');
    rig.receiver.answer = answerWith(204);
    await rig.settle(hook, 'nothing');
    assert.equal(await excerptOf(hook), null);
  });

  test('that leads into a loop of redirects, or to a secret of the cloud, is a failure and is not followed', async () => {
    const hook = await rig.hook();
    rig.dispatch({ scheduleMs: [0] });
    for (const location of [rig.receiver.url, 'http://169.254.169.254/latest/meta-data/']) {
      rig.receiver.answer = answerWith(302, { location });
      await rig.settle(hook, location);
      const [delivery] = await rig.log(hook);
      assert.equal(delivery?.status, 'dead');
      assert.equal(delivery.attempts[0]?.error, 'the receiver answered 302; redirects are not followed');
    }
    assert.equal(rig.receiver.requests.length, 2);
  });

  test('that never came although the receiver has the delivery leads to the same id again', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = (response) => void response.socket?.destroy();
    rig.dispatch({ scheduleMs: [0, 20] });
    await rig.tell(hook.session, 'once');
    await eventually(() => rig.receiver.requests.length === 1);
    rig.receiver.answer = answerWith(200);
    await rig.until('delivered', 1);
    const [first, second] = rig.receiver.requests;
    assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
    assert.match((await rig.log(hook))[0]?.attempts[0]?.error ?? '', /connection was (closed|reset)/);
  });

  test('can ask that this delivery not be repeated', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = answerWith(500, { 'webhook-delivery': 'abort-message' });
    rig.dispatch();
    await rig.settle(hook, 'nonsense');
    assert.equal(rig.receiver.requests.length, 1);
    assert.equal((await rig.log(hook))[0]?.status, 'dead');
    assert.equal((await rig.view(hook)).webhook.enabled, true);
  });
});
