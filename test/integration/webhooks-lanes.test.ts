import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { answerWith, type ReceivedRequest } from '../support/http-receiver.ts';
import { bodiesOf, reasonsOf, WebhookRig } from '../support/webhook-rig.ts';

const rig = WebhookRig.forTests();

const chats = [1, 2, 3].map((digit) => `1555010000${digit}@s.whatsapp.net`);
const [alice = '', bob = ''] = chats;
const ofChat = (requests: readonly ReceivedRequest[], chat: string): ReceivedRequest[] =>
  requests.filter(({ json }) => at(json, 'data', 'chat') === chat);
const inOrder = Array.from({ length: 12 }, (_, index) => String(index));

describe('an ordered webhook', () => {
  test('gets the events of each chat one at a time and in order, and those of several chats at once', async () => {
    const { session } = await rig.hook({ ordered: true });
    const open = new Map<unknown, number>();
    let mostAtOnce = 0;
    rig.receiver.answer = async (response, { json }) => {
      const chat = at(json, 'data', 'chat');
      open.set(chat, (open.get(chat) ?? 0) + 1);
      assert.equal(open.get(chat), 1, 'two of one chat at once');
      mostAtOnce = Math.max(
        mostAtOnce,
        [...open.values()].reduce((sum, count) => sum + count, 0),
      );
      // Long enough for others to come beside it.
      await new Promise((resolve) => setTimeout(resolve, 5));
      open.set(chat, 0);
      response.writeHead(200).end();
    };
    for (const body of inOrder) for (const chat of chats) await rig.say(session, chat, body);
    rig.dispatch();
    await rig.until('delivered', 36);
    for (const chat of chats) assert.deepEqual(bodiesOf(ofChat(rig.receiver.requests, chat)), inOrder);
    assert.ok(mostAtOnce > 1, 'chats waited for each other');
  });

  test('goes on with other chats while one waits for its retry', async () => {
    const { session } = await rig.hook({ ordered: true });
    let isFailing = true;
    rig.receiver.answer = (response, { json }) =>
      void response.writeHead(isFailing && at(json, 'data', 'chat') === alice ? 500 : 200).end();
    for (const body of inOrder) for (const chat of [alice, bob]) await rig.say(session, chat, body);
    rig.dispatch({ scheduleMs: [0, ...Array.from({ length: 40 }, () => 100)] });
    await eventually(() => ofChat(rig.receiver.requests, bob).length === 12);
    assert.deepEqual([...new Set(bodiesOf(ofChat(rig.receiver.requests, alice)))], ['0']);
    isFailing = false;
    await rig.until('delivered', 24);
    const aliceGot = bodiesOf(ofChat(rig.receiver.requests, alice));
    assert.deepEqual(aliceGot.slice(aliceGot.lastIndexOf('0')), inOrder);
  });

  test('gets events without a chat in one line, beside the chats', async () => {
    const { session } = await rig.hook({ ordered: true });
    rig.receiver.answer = (response, { json }) =>
      void response.writeHead(at(json, 'event') === 'logged_out' ? 500 : 200).end();
    await rig.tell(session, 'first');
    await rig.tell(session, 'second');
    await rig.say(session, alice, 'beside');
    rig.dispatch({ scheduleMs: [0, 3_600_000] });
    await rig.until('delivered', 1);
    await eventually(async () => (await rig.count('attempts = 1')) === 2);
    assert.deepEqual(reasonsOf(rig.receiver.requests.filter(({ json }) => at(json, 'event') === 'logged_out')), [
      'first',
    ]);
  });

  test('goes on behind a delivery that is given up', async () => {
    const { session } = await rig.hook({ ordered: true });
    rig.receiver.answer = (response, { json }) =>
      void response.writeHead(at(json, 'data', 'body') === 'poison' ? 400 : 200).end();
    for (const body of ['poison', 'after', 'and after']) await rig.say(session, alice, body);
    rig.dispatch({ scheduleMs: [0, 20] });
    await rig.until('delivered', 2);
    assert.deepEqual(bodiesOf(rig.receiver.requests), ['poison', 'poison', 'after', 'and after']);
  });

  test('never leaves an event behind that comes while the one before it ends', async () => {
    const { session } = await rig.hook({ ordered: true });
    rig.dispatch();
    const other = await rig.database.openStore();
    rig.dispatch({}, other);
    const expected = Array.from({ length: 300 }, (_, index) => String(index));
    const sent: Promise<void>[] = [];
    for (const body of expected) {
      sent.push(rig.say(session, alice, body));
      // Sometimes together, sometimes just as the last one is settled.
      if (Number(body) % 3 === 0) await Promise.all(sent.splice(0));
    }
    await Promise.all(sent);
    await rig.until('delivered', 300, 30_000);
    assert.deepEqual(bodiesOf(rig.receiver.requests), expected);
  });

  test('sends an event that is written while another gateway settles the one before it', async () => {
    const { session } = await rig.hook({ ordered: true });
    await rig.say(session, alice, 'first');
    await rig.besides(
      `with h as materialized (select webhook_id from webhook_health for no key update)
       update deliveries d set status = 'delivered' from h where d.webhook_id = h.webhook_id`,
      () => rig.say(session, alice, 'second'),
    );
    const [second] = await rig.store.outbox.claim(10, 60_000);
    assert.equal(at(second?.event.data, 'body'), 'second');
  });

  test('sends an event that another gateway writes while the one before it is settled', async () => {
    const { session, webhook } = await rig.hook({ ordered: true });
    await rig.say(session, alice, 'first');
    const [first] = await rig.store.outbox.claim(10, 60_000);
    assert.ok(first !== undefined);
    // The event is there, its delivery is what the other gateway has not committed yet.
    await rig.store.webhooks.switchOff(session, webhook.id);
    await rig.say(session, alice, 'second');
    await rig.store.webhooks.enable(session, webhook.id);
    const settled = { tag: 'delivered', httpStatus: 200, durationMs: 1, excerpt: null } as const;
    await rig.besides(
      `with h as materialized (select webhook_id from webhook_health for share)
       insert into deliveries (webhook_id, event_id, sequence, lane, blocked)
       select h.webhook_id, e.id, e.sequence, '${alice}', true from events e, h where e.sequence = 2`,
      () => rig.store.outbox.settle({ delivery: first, outcome: settled, judge: (health) => health }),
    );
    const [second] = await rig.store.outbox.claim(10, 60_000);
    assert.equal(at(second?.event.data, 'body'), 'second');
  });

  test('keeps the order over the death of a gateway with deliveries on their way', async () => {
    const { session } = await rig.hook({ ordered: true });
    for (const body of inOrder) for (const chat of [alice, bob]) await rig.say(session, chat, body);
    const claimed = await rig.store.outbox.claim(10, 700);
    assert.deepEqual(new Set(claimed.map(({ event }) => at(event.data, 'chat'))), new Set([alice, bob]));
    rig.dispatch();
    await rig.until('delivered', 24, 20_000);
    for (const chat of [alice, bob]) assert.deepEqual(bodiesOf(ofChat(rig.receiver.requests, chat)), inOrder);
  });

  test('that was unordered before orders what comes from now on, and the other way round', async () => {
    const { session, webhook } = await rig.hook();
    await rig.say(session, alice, 'loose');
    await rig.store.webhooks.update(session, webhook.id, { ordered: true });
    for (const body of ['1', '2', '3']) await rig.say(session, alice, body);
    await rig.store.webhooks.update(session, webhook.id, { ordered: false });
    rig.receiver.answer = (response, { json }) =>
      void response.writeHead(at(json, 'data', 'body') === '1' ? 500 : 200).end();
    rig.dispatch({ scheduleMs: [0, 3_600_000] });
    await rig.say(session, alice, 'loose again');
    await eventually(() => rig.receiver.requests.length === 3);
    assert.deepEqual(new Set(bodiesOf(rig.receiver.requests)), new Set(['1', 'loose', 'loose again']));
  });
});

describe('a receiver that was down with much behind it', () => {
  test('is caught up in order, chat by chat, and the dispatcher holds no more than a few in memory', async () => {
    const { session } = await rig.hook({ ordered: true });
    rig.receiver.answer = answerWith(503);
    rig.dispatch({ breaker: { failures: 5, firstPauseMs: 200, longestPauseMs: 400 } });
    const expected = Array.from({ length: 400 }, (_, index) => String(index));
    await Promise.all(expected.flatMap((body) => chats.map((chat) => rig.say(session, chat, body))));
    assert.ok((await rig.count('lease_until is not null')) <= 4);
    rig.receiver.answer = answerWith(200);
    await rig.until('delivered', 1200, 60_000);
    for (const chat of chats) {
      const seen = bodiesOf(ofChat(rig.receiver.requests, chat));
      assert.deepEqual(seen.slice(seen.lastIndexOf('0')), expected);
    }
  });
});
