import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { logger } from '../../src/log.ts';
import { Janitor } from '../../src/store/janitor.ts';
import type { DeliveryFilter, DeliveryRow } from '../../src/store/webhook-records.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { answerWith } from '../support/http-receiver.ts';
import { createOwnedSession, hasCode, sessionId } from '../support/store-fixtures.ts';
import { bodiesOf, reasonsOf, WebhookRig, type Hook } from '../support/webhook-rig.ts';

let rig: WebhookRig;
before(async () => {
  rig = await WebhookRig.create();
});
beforeEach(async () => {
  rig = await rig.again();
});
after(() => rig.dispose());

const everything: DeliveryFilter = { status: null, event: null, from: null, to: null };
const chat = '15550100001@s.whatsapp.net';
const dayMs = 86_400_000;

async function log(hook: Hook, filter: Partial<DeliveryFilter> = {}): Promise<readonly DeliveryRow[]> {
  const page = await rig.store.deliveries.list(hook.key, { ...everything, ...filter, limit: 200, cursor: null });
  assert.equal(page.total, page.rows.length);
  return page.rows;
}

/** A delivery for each, all settled as the receiver answers. */
async function settle(hook: Hook, ...reasons: readonly string[]): Promise<void> {
  for (const reason of reasons) await rig.tell(hook.session, reason);
  await eventually(async () => (await rig.count(`status = 'pending'`)) === 0);
}

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
    const [delivery] = await log(hook);
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
    await settle(hook, '1', '2', '3');
    await rig.say(hook.session, chat, 'hello');
    await rig.until('delivered', 1);
    const all = await log(hook);
    assert.deepEqual(
      all.map(({ sequence }) => sequence),
      [4, 3, 2, 1],
    );
    const first = await rig.store.deliveries.list(hook.key, { ...everything, limit: 3, cursor: null });
    assert.equal(first.total, 4);
    const second = await rig.store.deliveries.list(hook.key, { ...everything, limit: 3, cursor: first.nextCursor });
    assert.deepEqual([...first.rows, ...second.rows], all);
    assert.equal(second.nextCursor, null);
    assert.equal((await log(hook, { status: 'dead' })).length, 3);
    assert.equal((await log(hook, { event: 'message' })).length, 1);
    const now = systemClock.now();
    assert.equal((await log(hook, { from: now - 60_000, to: now + 60_000 })).length, 4);
    assert.equal((await log(hook, { from: now + 60_000 })).length, 0);
    assert.equal((await log(hook, { to: now - 60_000 })).length, 0);
    await assert.rejects(
      rig.store.deliveries.list(hook.key, { ...everything, limit: 3, cursor: 'eDEy' }),
      hasCode('invalid_request'),
    );
  });

  test('shows what waits for a disabled webhook as held', async () => {
    const hook = await rig.hook();
    await rig.tell(hook.session, 'waits');
    assert.deepEqual(
      (await log(hook)).map(({ status }) => status),
      ['pending'],
    );
    await rig.store.webhooks.switchOff(hook.session, hook.webhook.id);
    await rig.tell(hook.session, 'is not even created');
    assert.equal((await log(hook, { status: 'held' })).length, 1);
    assert.equal((await log(hook, { status: 'pending' })).length, 0);
    rig.dispatch();
    await rig.store.webhooks.enable(hook.session, hook.webhook.id);
    await rig.until('delivered', 1);
    assert.deepEqual(reasonsOf(rig.receiver.requests), ['waits']);
  });

  test('belongs to its session: nobody reaches it through another one', async () => {
    const hook = await rig.hook();
    rig.dispatch();
    await settle(hook, 'private');
    const [delivery] = await log(hook);
    const { session: stranger } = await createOwnedSession(rig.store, 'stranger');
    const key = { session: stranger, webhook: hook.webhook.id };
    const { deliveries, webhooks } = rig.store;
    const range = { from: null, to: null };
    const refused = hasCode('webhook_not_found');
    await assert.rejects(deliveries.list(key, { ...everything, limit: 1, cursor: null }), refused);
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
    (await log(hook))[0]?.attempts.at(-1)?.excerpt;

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
    await settle(hook, 'flood');
    await eventually(() => isClosed);
    assert.equal(await excerptOf(hook), 'é'.repeat(512));
    assert.ok(written < 20_000_000, `${written} bytes were taken`);
  });

  test('that trickles does not keep the delivery from ending', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = (response) => void response.writeHead(200).write('well');
    rig.dispatch({ timeoutMs: 700 });
    await settle(hook, 'slow');
    assert.equal(await excerptOf(hook), 'well');
    assert.equal((await log(hook))[0]?.status, 'delivered');
  });

  test('of any bytes becomes valid text, cut between characters', async () => {
    const hook = await rig.hook();
    rig.dispatch({ scheduleMs: [0] });
    rig.receiver.answer = (response) => void response.writeHead(200).end(`${'x'.repeat(1023)}😀`);
    await settle(hook, 'cut');
    assert.equal(await excerptOf(hook), 'x'.repeat(1023));
    rig.receiver.answer = (response) => void response.writeHead(200).end(Buffer.from([0x61, 0x00, 0xff, 0x62]));
    await settle(hook, 'binary');
    assert.equal(await excerptOf(hook), 'a\uFFFD\uFFFDb');
    rig.receiver.answer = answerWith(204);
    await settle(hook, 'nothing');
    assert.equal(await excerptOf(hook), null);
  });

  test('that leads into a loop of redirects, or to a secret of the cloud, is a failure and is not followed', async () => {
    const hook = await rig.hook();
    rig.dispatch({ scheduleMs: [0] });
    for (const location of [rig.receiver.url, 'http://169.254.169.254/latest/meta-data/']) {
      rig.receiver.answer = answerWith(302, { location });
      await settle(hook, location);
      const [delivery] = await log(hook);
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
    assert.match((await log(hook))[0]?.attempts[0]?.error ?? '', /connection was (closed|reset)/);
  });

  test('can ask that this delivery not be repeated', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = answerWith(500, { 'webhook-delivery': 'abort-message' });
    rig.dispatch();
    await settle(hook, 'nonsense');
    assert.equal(rig.receiver.requests.length, 1);
    assert.equal((await log(hook))[0]?.status, 'dead');
    assert.equal((await rig.view(hook)).webhook.enabled, true);
  });
});

describe('a replay', () => {
  test('sends a delivery again with the same id and body, from the beginning of the schedule', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ scheduleMs: [0, 10, 10] });
    await settle(hook, 'again');
    const [dead] = await log(hook, { status: 'dead' });
    assert.equal(dead?.attemptCount, 3);
    assert.equal(await rig.store.deliveries.replay(hook.key, dead.eventId), true);
    await rig.until('dead', 1);
    await eventually(() => rig.receiver.requests.length === 6);
    await rig.until('dead', 1);
    rig.receiver.answer = answerWith(200);
    await rig.store.deliveries.replay(hook.key, dead.eventId);
    await rig.until('delivered', 1);
    await rig.store.deliveries.replay(hook.key, dead.eventId);
    await eventually(() => rig.receiver.requests.length === 8);
    assert.equal(new Set(rig.receiver.requests.map(({ body }) => body)).size, 1);
    assert.equal(new Set(rig.receiver.requests.map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.equal(rig.receiver.requests.at(-1)?.headers['x-webhook-attempt'], '8');
    assert.equal(await rig.store.deliveries.replay(hook.key, 'evt_unknown'), false);
  });

  test('of a delivery that waits makes it due at once', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ scheduleMs: [0, 3_600_000] });
    await rig.tell(hook.session, 'patience');
    await eventually(async () => (await rig.count('attempts = 1')) === 1);
    rig.receiver.answer = answerWith(200);
    const [waiting] = await log(hook, { status: 'pending' });
    await rig.store.deliveries.replay(hook.key, waiting?.eventId ?? '');
    await rig.until('delivered', 1);
  });

  test('of a time range takes the dead ones, the delivered ones, or all, and leaves tests out', async () => {
    const hook = await rig.hook();
    const engine = rig.dispatch({ scheduleMs: [0] });
    await settle(hook, 'a', 'b');
    rig.receiver.answer = answerWith(500);
    await settle(hook, 'c', 'd', 'e');
    await engine.tester.test(hook.key);
    rig.receiver.answer = answerWith(200);
    const now = systemClock.now();
    const range = { from: now - 60_000, to: now + 60_000 };
    const replayed = async (status: 'dead' | 'delivered' | 'all', bounds: typeof range = range): Promise<unknown> => {
      const before = rig.receiver.requests.length;
      const count = await rig.store.deliveries.replayAll(hook.key, { status, ...bounds });
      await eventually(async () => (await rig.count(`status = 'pending'`)) === 0);
      assert.equal(rig.receiver.requests.length - before, count);
      return count;
    };
    assert.equal(await replayed('dead', { from: now + 60_000, to: now + 120_000 }), 0);
    assert.equal(await replayed('dead'), 3);
    assert.equal(await replayed('dead'), 0);
    assert.equal(await replayed('delivered'), 5);
    assert.equal(await replayed('all'), 5);
  });

  test('of much goes in batches, and in order where that is asked for', async () => {
    const hook = await rig.hook({ ordered: true });
    const expected = Array.from({ length: 1_050 }, (_, index) => String(index));
    await Promise.all(expected.map((body) => rig.say(hook.session, chat, body)));
    await rig.database.query(`update deliveries set status = 'dead', settled_at = now(), blocked = false`);
    assert.equal(await rig.store.deliveries.replayAll(hook.key, { status: 'dead', from: null, to: null }), 1_050);
    await rig.say(hook.session, chat, 'the news');
    rig.dispatch();
    await rig.until('delivered', 1_051, 90_000);
    assert.deepEqual(bodiesOf(rig.receiver.requests), [...expected, 'the news']);
  });

  test('sends what a webhook has missed: before it was there, and while it was switched off', async () => {
    const { session } = await createOwnedSession(rig.store, 'latecomer');
    await rig.tell(session, 'before');
    await rig.say(session, chat, 'unwanted');
    const hook = await rig.hookOn(session, { events: ['logged_out'], ordered: true });
    await rig.tell(session, 'seen');
    await rig.store.webhooks.switchOff(session, hook.webhook.id);
    await rig.tell(session, 'while off');
    await rig.store.webhooks.enable(session, hook.webhook.id);
    assert.equal(await rig.store.deliveries.createMissed(hook.key, { from: 0, to: null }), 2);
    assert.equal(await rig.store.deliveries.createMissed(hook.key, { from: 0, to: null }), 0);
    rig.dispatch();
    await rig.until('delivered', 3);
    assert.deepEqual(reasonsOf(rig.receiver.requests), ['before', 'seen', 'while off']);
  });
});

describe('a test delivery', () => {
  test('is signed and sent at once, by the way of all others, and is told with its answer', async () => {
    const hook = await rig.hook({ events: ['qr_code'] });
    const engine = rig.engine();
    rig.receiver.answer = (response) => void response.writeHead(200).end('thanks');
    const outcome = await engine.tester.test(hook.key);
    assert.deepEqual(
      { ...outcome, durationMs: 0, eventId: '' },
      { isDelivered: true, eventId: '', httpStatus: 200, durationMs: 0, error: null, excerpt: 'thanks' },
    );
    const [request] = rig.receiver.requests;
    assert.equal(at(request?.json, 'event'), 'test');
    assert.equal(at(request?.json, 'data', 'webhook_id'), hook.webhook.id);
    assert.equal(request?.headers['webhook-id'], outcome.eventId);
    const [logged] = await log(hook);
    assert.equal(logged?.eventId, outcome.eventId);
    assert.equal(logged.status, 'delivered');
    assert.equal(logged.attempts.length, 1);
  });

  test('that fails says why, is made once, and harms nobody', async () => {
    const hook = await rig.hook();
    const engine = rig.dispatch({ breaker: { failures: 1, firstPauseMs: 60_000, longestPauseMs: 60_000 } });
    rig.receiver.answer = (response) => void response.writeHead(503).end('closed');
    const outcome = await engine.tester.test(hook.key);
    assert.equal(outcome.isDelivered, false);
    assert.equal(outcome.error, 'the receiver answered 503');
    assert.equal(outcome.excerpt, 'closed');
    assert.equal((await log(hook))[0]?.status, 'dead');
    const { health } = await rig.view(hook);
    assert.equal(health.consecutiveFailures, 0);
    rig.receiver.answer = answerWith(200);
    await settle(hook, 'goes on');
    assert.equal(rig.receiver.requests.length, 2);
  });

  test('reaches a webhook that is switched off, and no other one', async () => {
    const other = await rig.otherReceiver();
    const hook = await rig.hook();
    await rig.hookOn(hook.session, { url: other.url });
    await rig.store.webhooks.switchOff(hook.session, hook.webhook.id);
    const engine = rig.dispatch();
    assert.equal((await engine.tester.test(hook.key)).isDelivered, true);
    await rig.tell(hook.session, 'something else');
    await eventually(() => other.requests.length === 1);
    assert.deepEqual(reasonsOf(other.requests), ['something else']);
    const unknown = { session: sessionId('nobody'), webhook: hook.webhook.id };
    await assert.rejects(engine.tester.test(unknown), hasCode('webhook_not_found'));
  });
});

describe('what is old', () => {
  /** One round of the janitor, ten days from now. */
  const prune = async (retention: { readonly events: number | null; readonly dead: number | null }): Promise<void> => {
    const ended = Promise.withResolvers<boolean>();
    const janitor = new Janitor({
      ...rig.store,
      messages: {
        forget: () => Promise.resolve(false),
        // Messages come last.
        prune: () => {
          ended.resolve(false);
          return ended.promise;
        },
      },
      retention: { messagesMs: 1, eventsMs: retention.events, deadDeliveriesMs: retention.dead },
      clock: { ...systemClock, now: () => systemClock.now() + 10 * dayMs },
      log: logger('janitor'),
    });
    janitor.start();
    await ended.promise;
    await janitor.stop();
  };
  const countOf = async (table: string): Promise<number> =>
    Number((await rig.database.query(`select count(*)::int as n from ${table}`))[0]?.['n']);

  test('goes with its deliveries and their attempts, except what is still needed', async () => {
    const hook = await rig.hook({ events: ['logged_out'], ordered: true });
    rig.dispatch({ scheduleMs: [0] });
    await settle(hook, 'delivered');
    rig.receiver.answer = answerWith(500);
    await settle(hook, 'dead');
    await rig.stopEngines();
    await rig.tell(hook.session, 'pending');
    await rig.say(hook.session, chat, 'nobody wants it');
    await prune({ events: 11 * dayMs, dead: null });
    assert.equal(await countOf('events'), 4);
    await prune({ events: 9 * dayMs, dead: 11 * dayMs });
    assert.deepEqual(
      (await log(hook)).map(({ status }) => status),
      ['pending', 'dead'],
    );
    assert.equal(await countOf('events'), 2);
    assert.equal(await countOf('attempts'), 1);
    await prune({ events: 9 * dayMs, dead: 9 * dayMs });
    assert.deepEqual(
      (await log(hook)).map(({ status }) => status),
      ['pending'],
    );
    assert.equal(await countOf('events'), 1);
    assert.equal(await countOf('attempts'), 0);
  });

  test('is kept for ever where that is asked for', async () => {
    const hook = await rig.hook();
    rig.dispatch();
    await settle(hook, 'kept');
    await prune({ events: null, dead: null });
    assert.equal(await countOf('events'), 1);
  });

  test('and waits for a webhook that nobody enables goes, too, and what comes after it is not stuck', async () => {
    const hook = await rig.hook({ ordered: true });
    for (const body of ['old', 'older than it seems']) await rig.say(hook.session, chat, body);
    await rig.database.query(`update deliveries set created_at = now() - interval '25 days' where sequence = 1`);
    await rig.store.webhooks.switchOff(hook.session, hook.webhook.id);
    await prune({ events: null, dead: 30 * dayMs });
    assert.equal((await log(hook)).length, 1);
    await rig.store.webhooks.enable(hook.session, hook.webhook.id);
    rig.dispatch();
    await rig.until('delivered', 1);
    assert.deepEqual(bodiesOf(rig.receiver.requests), ['older than it seems']);
  });

  test('and more than one batch goes in one round', async () => {
    const hook = await rig.hook({ events: ['qr_code'] });
    await Promise.all(Array.from({ length: 4_100 }, (_, index) => rig.tell(hook.session, String(index))));
    await prune({ events: 9 * dayMs, dead: null });
    assert.equal(await countOf('events'), 0);
  });
});

describe('conditions', () => {
  test('are asked when the event is written: what is not wanted leaves no delivery', async () => {
    const conditions = { chats: [chat], senders: null, isGroup: null, isFromMe: null, text: null };
    const hook = await rig.hook({ conditions });
    await rig.say(hook.session, chat, 'wanted');
    await rig.say(hook.session, '15550100002@s.whatsapp.net', 'unwanted');
    await rig.tell(hook.session, 'without a chat');
    assert.equal(await rig.count('true'), 2);
    rig.dispatch();
    await rig.until('delivered', 2);
    assert.deepEqual(new Set(bodiesOf(rig.receiver.requests)), new Set(['wanted', undefined]));
    await rig.store.webhooks.update(hook.session, hook.webhook.id, { conditions: null });
    await rig.say(hook.session, '15550100002@s.whatsapp.net', 'wanted now');
    await rig.until('delivered', 3);
    assert.equal((await rig.view(hook)).webhook.conditions, null);
  });
});
