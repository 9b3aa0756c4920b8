import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { logger } from '../../src/log.ts';
import { Janitor } from '../../src/store/janitor.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { answerWith } from '../support/http-receiver.ts';
import { createOwnedSession, hasCode, sessionId } from '../support/store-fixtures.ts';
import { bodiesOf, reasonsOf, WebhookRig } from '../support/webhook-rig.ts';

const rig = WebhookRig.forTests();

const chat = '15550100001@s.whatsapp.net';
const dayMs = 86_400_000;

describe('a replay', () => {
  test('sends a delivery again with the same id and body, from the beginning of the schedule', async () => {
    const hook = await rig.hook();
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ scheduleMs: [0, 10, 10] });
    await rig.settle(hook, 'again');
    const [dead] = await rig.log(hook, { status: 'dead' });
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
    const [waiting] = await rig.log(hook, { status: 'pending' });
    await rig.store.deliveries.replay(hook.key, waiting?.eventId ?? '');
    await rig.until('delivered', 1);
  });

  test('of a time range takes the dead ones, the delivered ones, or all, and leaves tests out', async () => {
    const hook = await rig.hook();
    const engine = rig.dispatch({ scheduleMs: [0] });
    await rig.settle(hook, 'a', 'b');
    rig.receiver.answer = answerWith(500);
    await rig.settle(hook, 'c', 'd', 'e');
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
    const [logged] = await rig.log(hook);
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
    assert.equal((await rig.log(hook))[0]?.status, 'dead');
    const { health } = await rig.view(hook);
    assert.equal(health.consecutiveFailures, 0);
    rig.receiver.answer = answerWith(200);
    await rig.settle(hook, 'goes on');
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
      retention: { messagesMs: 1, eventsMs: retention.events, deadDeliveriesMs: retention.dead, auditMs: null },
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
    await rig.settle(hook, 'delivered');
    rig.receiver.answer = answerWith(500);
    await rig.settle(hook, 'dead');
    await rig.stopEngines();
    await rig.tell(hook.session, 'pending');
    await rig.say(hook.session, chat, 'nobody wants it');
    await prune({ events: 11 * dayMs, dead: null });
    assert.equal(await countOf('events'), 4);
    await prune({ events: 9 * dayMs, dead: 11 * dayMs });
    assert.deepEqual(
      (await rig.log(hook)).map(({ status }) => status),
      ['pending', 'dead'],
    );
    assert.equal(await countOf('events'), 2);
    assert.equal(await countOf('attempts'), 1);
    await prune({ events: 9 * dayMs, dead: 9 * dayMs });
    assert.deepEqual(
      (await rig.log(hook)).map(({ status }) => status),
      ['pending'],
    );
    assert.equal(await countOf('events'), 1);
    assert.equal(await countOf('attempts'), 0);
  });

  test('is kept for ever where that is asked for', async () => {
    const hook = await rig.hook();
    rig.dispatch();
    await rig.settle(hook, 'kept');
    await prune({ events: null, dead: null });
    assert.equal(await countOf('events'), 1);
  });

  test('and waits for a webhook that nobody enables goes, too, and what comes after it is not stuck', async () => {
    const hook = await rig.hook({ ordered: true });
    for (const body of ['old', 'older than it seems']) await rig.say(hook.session, chat, body);
    await rig.database.query(`update deliveries set created_at = now() - interval '25 days' where sequence = 1`);
    await rig.store.webhooks.switchOff(hook.session, hook.webhook.id);
    await prune({ events: null, dead: 30 * dayMs });
    assert.equal((await rig.log(hook)).length, 1);
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
