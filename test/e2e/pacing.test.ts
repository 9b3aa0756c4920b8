import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox, untilConnected } from '../support/gateway.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

/** Long enough that nothing ends while a test looks at it. */
const longMs = '3600000';
const text = (to: string, words = 'Hello') => ({ to, text: words });

describe('a session that is paced', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({
      PACING_NEW_CHATS_PER_DAY: '10',
      PACING_WARM_UP_NEW_CHATS: '4',
      PACING_NEW_CHAT_BACKOFF_MS: longMs,
      PACING_SLOW_DOWN_MS: longMs,
    });
    for (const phone of people) await support.contact(phone);
    await support.contact(writer);
  });

  after(() => support.dispose());

  const people = Array.from({ length: 8 }, (_, n) => `1555200000${n}`);
  const writer = '15552000100';
  const [known = '', second = '', third = '', fourth = '', fifth = ''] = people;
  const pacing = () => support.ask('/pacing');
  const patch = (settings: unknown) =>
    support.gateway.api.call('PATCH', '/api/v1/sessions/support', { body: { pacing: settings } });

  test('says what its limits are and how much of them is used', async () => {
    await support.ask('/messages/text', text(known));
    await support.ask('/messages/text', text(known, 'Hello again'));
    const seen = await pacing();
    assert.equal(at(seen, 'enabled'), true);
    assert.deepEqual(at(seen, 'limits'), { messages_per_second: 1, burst: 20, new_chats_per_day: 4 });
    assert.deepEqual(at(seen, 'warm_up'), { day: 1, days: 14, new_chats_per_day: 4 });
    assert.equal(at(seen, 'new_chats_today'), 1);
    await eventually(async () => at(await pacing(), 'used_today') === 2);
    assert.deepEqual(at(await support.ask(''), 'pacing'), {
      held: null,
      backoff: { new_chats: null, slow_down: null },
    });
  });

  test('does not count a number that is not on WhatsApp as a new chat', async () => {
    await support.contact('15552000999', { registered: false });
    const answer = await support.post('/messages/text', text('15552000999'));
    assert.equal(errorOf(answer), 'recipient_not_on_whatsapp');
    assert.equal(at(await pacing(), 'new_chats_today'), 1);
  });

  test('refuses the new chat that is one too many, and says when it may begin', async () => {
    for (const phone of [second, third, fourth]) await support.ask('/messages/text', text(phone));
    const answer = await support.post('/messages/text', text(fifth));
    assert.equal(answer.status, 429);
    assert.equal(errorOf(answer), 'pacing_limit');
    assert.match(String(at(answer.json, 'error', 'message')), /4 of 4 new chats.*day 1 of 14/);
    const retryAfter = Number(answer.headers['retry-after']);
    assert.ok(retryAfter > 86_000 && retryAfter <= 86_400, String(retryAfter));
    assert.deepEqual(await inbox(support.gateway, 'support', fifth), []);
  });

  test('answers people who write, and goes on with chats that it knows', async () => {
    await support.ask('/sandbox/messages', { from: writer, text: 'Is anybody there?' });
    await support.event('message', (data) => at(data, 'body') === 'Is anybody there?');
    const answer = await support.ask('/messages/text', text(writer, 'Yes.'));
    assert.equal(at(answer, 'status'), 'sent');
    assert.equal(at(await support.ask('/messages/text', text(known, 'Still here')), 'status'), 'sent');
    assert.equal(at(await pacing(), 'new_chats_today'), 4);
  });

  test('keeps its count over a restart of the gateway', async () => {
    await support.gateway.kill();
    await support.gateway.boot();
    await untilConnected(support.gateway, 'support');
    assert.equal(at(await pacing(), 'new_chats_today'), 4);
    assert.equal(errorOf(await support.post('/messages/text', text(fifth))), 'pacing_limit');
  });

  test('can have limits of its own', async () => {
    const changed = await patch({ new_chats_per_day: 5, warm_up_days: 0 });
    assert.equal(changed.status, 200, changed.text);
    const seen = await pacing();
    assert.deepEqual(at(seen, 'settings'), { new_chats_per_day: 5, warm_up_days: 0 });
    assert.deepEqual(at(seen, 'limits', 'new_chats_per_day'), 5);
    assert.equal(at(seen, 'warm_up'), null);
    await support.ask('/messages/text', text(fifth));
    assert.equal(errorOf(await support.post('/messages/text', text(people[5] ?? ''))), 'pacing_limit');
    const wrong = await patch({ burst: 0, speed: 3 });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /pacing\.burst/);
    assert.match(wrong.text, /pacing\.speed/);
    assert.equal((await patch(null)).status, 200);
    assert.equal(at(await pacing(), 'settings'), null);
  });

  test('begins no chat after WhatsApp refused one, tells when that ends, and goes on with the others', async () => {
    await patch({ new_chats_per_day: 0 });
    await support.fault({ fault: 'refuse_send', code: 463, count: 1 });
    const refused = await support.post('/messages/text', text(people[5] ?? ''));
    assert.equal(refused.status, 502);
    const told = await support.event('session_pacing', (data) => at(data, 'kind') === 'new_chats');
    assert.equal(at(told, 'code'), '463');
    assert.equal(at(told, 'count'), 1);
    for (const phone of [people[5] ?? '', people[6] ?? '']) {
      const answer = await support.post('/messages/text', text(phone));
      assert.equal(errorOf(answer), 'pacing_limit');
      assert.match(String(at(answer.json, 'error', 'message')), /463/);
    }
    assert.equal(at(await support.ask('/messages/text', text(known, 'And on')), 'status'), 'sent');
    const shown = at(await pacing(), 'backoff', 'new_chats');
    assert.equal(at(shown, 'until'), at(told, 'until'));
    assert.deepEqual(at(await support.ask(''), 'pacing', 'backoff', 'new_chats'), shown);
  });

  test("remembers WhatsApp's refusal over a restart of the gateway", async () => {
    const before = at(await pacing(), 'backoff', 'new_chats');
    await support.gateway.kill();
    await support.gateway.boot();
    await untilConnected(support.gateway, 'support');
    assert.deepEqual(at(await pacing(), 'backoff', 'new_chats'), before);
    assert.equal(errorOf(await support.post('/messages/text', text(people[6] ?? ''))), 'pacing_limit');
  });

  test('slows down when WhatsApp says that it is too fast', async () => {
    await patch({ new_chats_per_day: 0, messages_per_second: 1000 });
    // What the killed gateway had not noted as sent is sent again, and would meet the refusal.
    const open = "select from messages where status = 'accepted'";
    await eventually(async () => (await support.gateway.database?.query(open))?.length === 0);
    await support.fault({ fault: 'refuse_send', code: 429, count: 1 });
    assert.equal((await support.post('/messages/text', text(known, 'Too fast'))).status, 502);
    const told = await support.event('session_pacing', (data) => at(data, 'kind') === 'slow_down');
    assert.equal(at(told, 'code'), '429');
    assert.equal(at(await pacing(), 'backoff', 'slow_down', 'until'), at(told, 'until'));
    assert.equal(at(await support.ask('/messages/text', text(known, 'Slower')), 'status'), 'sent');
  });

  test('is not held back by anything when its pacing is switched off', async () => {
    await patch({ enabled: false });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => support.post('/messages/text', text(people[7] ?? '', `Flood ${n}`))),
    );
    assert.deepEqual(
      answers.map(({ status }) => status).filter((status) => status !== 200),
      [],
    );
  });
});

describe('a session that is asked for more than it may send at once', () => {
  let support: PairedGateway;
  const ann = '15552100001';
  const bob = '15552100002';

  before(async () => {
    support = await PairedGateway.start({
      PACING_MESSAGES_PER_SECOND: '2',
      PACING_BURST: '2',
      SEND_TIMEOUT_MS: '1000',
      MESSAGE_TTL_MS: '15000',
    });
    await support.contact(ann);
    await support.contact(bob);
  });

  after(() => support.dispose());

  test('lets callers wait their turn, holds the rest with a time, refuses what would wait too long, and loses none', async () => {
    const words = Array.from({ length: 45 }, (_, n) => `Line ${n}`);
    const answers = await Promise.all(
      words.map(async (line) => ({ line, answer: await support.post('/messages/text', text(ann, line)) })),
    );
    const held = answers.filter(({ answer }) => answer.status === 202);
    const refused = answers.filter(({ answer }) => answer.status === 429);
    assert.ok(held.length > 0 && refused.length > 0, JSON.stringify(answers.map(({ answer }) => answer.status)));
    for (const { answer } of held) {
      assert.equal(at(answer.json, 'status'), 'pending');
      assert.ok(Number(at(answer.json, 'held_until')) > 1_700_000_000, answer.text);
      assert.match(String(at(answer.json, 'held_reason')), /at once/);
    }
    for (const { answer } of refused) assert.equal(errorOf(answer), 'pacing_limit');
    const accepted = answers.filter(({ answer }) => answer.status < 300).map(({ line }) => line);
    const received = async () => (await inbox(support.gateway, 'support', ann)).map((each) => String(at(each, 'text')));
    await eventually(
      async () => (await received()).length >= accepted.length,
      60_000,
      async () => ({ received: await received(), failed: support.events('message_failed') }),
    );
    assert.deepEqual((await received()).toSorted(), accepted.toSorted());
    await eventually(async () => at(await support.ask('/pacing'), 'held') === null);
  });

  test('sends what it holds after a restart of the gateway, too', async () => {
    const patient = { MESSAGE_TTL_MS: '600000' };
    await support.gateway.stop();
    await support.gateway.boot(patient);
    await untilConnected(support.gateway, 'support');
    const posts = Array.from({ length: 12 }, (_, n) => support.post('/messages/text', text(bob, `Kept ${n}`)));
    const answers = await Promise.all(posts);
    const held = answers.filter(({ status }) => status === 202).length;
    assert.ok(held > 0, JSON.stringify(answers.map(({ status, text: body }) => [status, body])));
    assert.ok(Number(at(await support.ask('/pacing'), 'held', 'count')) > 0);
    await support.gateway.kill();
    await support.gateway.boot(patient);
    await untilConnected(support.gateway, 'support');
    const taken = answers.filter(({ status }) => status < 300).length;
    await eventually(async () => (await inbox(support.gateway, 'support', bob)).length >= taken, 30_000);
    assert.equal((await inbox(support.gateway, 'support', bob)).length, taken);
  });
});
