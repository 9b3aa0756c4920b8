import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { examplePng } from '../../src/contract/schemas.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox, untilConnected, untilStatus } from '../support/gateway.ts';
import { errorOf, ownPhone, PairedGateway } from '../support/paired-gateway.ts';

const quick = { interval_ms: 0, jitter_ms: 0 };
const unhurried = { interval_ms: 150, jitter_ms: 0 };
const env = { PACING_MESSAGES_PER_SECOND: '200', PACING_BURST: '200', PACING_NEW_CHATS_PER_DAY: '0' };
const endMs = 180_000;

describe('a message to many', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start(env);
  });

  after(() => support.dispose());

  const numbers = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => String(15_553_000_000 + from + n));
  const create = async (body: Readonly<Record<string, unknown>>) => {
    const answer = await support.post('/messages/bulk', body);
    assert.equal(answer.status, 202, answer.text);
    return { id: String(at(answer.json, 'bulk_id')), answer: answer.json };
  };
  const bulk = (id: string) => support.ask(`/bulk/${id}`);
  const count = async (id: string, state: string) => Number(at(await bulk(id), 'counts', state));
  const until = (id: string, status: string) =>
    eventually(
      async () => {
        const seen = await bulk(id);
        return at(seen, 'status') === status ? seen : null;
      },
      endMs,
      () => bulk(id),
    );
  const textsOf = async (phone: string) =>
    (await inbox(support.gateway, 'support', phone)).map((each) => String(at(each, 'text')));
  async function eachState(id: string): Promise<ReadonlyMap<string, unknown>> {
    const found = new Map<string, unknown>();
    let cursor: unknown = null;
    do {
      const more = typeof cursor === 'string' ? `&cursor=${cursor}` : '';
      const page = await support.ask(`/bulk/${id}/recipients?limit=200${more}`);
      const rows: unknown = at(page, 'recipients');
      assert.ok(Array.isArray(rows));
      for (const row of rows) found.set(String(at(row, 'to')), row);
      cursor = at(page, 'next_cursor');
    } while (typeof cursor === 'string');
    return found;
  }

  test('reaches each of a few hundred once, with words of their own, and says of each what became of it', async () => {
    const people = numbers(0, 150);
    const absent = numbers(900, 8);
    for (const phone of people) await support.contact(phone);
    for (const phone of absent) await support.contact(phone, { registered: false });
    const recipients = [...people.slice(0, 100), ...absent, ...people.slice(100)].map((to) => ({
      to: `+${to}`,
      variables: { name: `N${to}` },
    }));
    const again = { to: people[0], variables: { name: 'Twice' } };
    const { id, answer } = await create({
      name: 'Hello to all',
      message: { type: 'text', text: 'Hello {{name}}' },
      recipients: [...recipients, again],
      pacing: quick,
    });
    assert.equal(at(answer, 'accepted'), 158);
    assert.equal(at(answer, 'duplicates'), 1);
    assert.deepEqual(at(answer, 'duplicate_recipients', 0), { index: 158, to: `${people[0]}@s.whatsapp.net` });
    const seen = await until(id, 'finished');
    assert.equal(at(seen, 'counts', 'failed'), 8);
    assert.equal(at(seen, 'counts', 'skipped'), 1);
    assert.equal(at(seen, 'counts', 'queued'), 0);
    for (const phone of people) assert.deepEqual(await textsOf(phone), [`Hello N${phone}`]);
    const states = await eachState(id);
    for (const phone of absent) {
      const row = states.get(`${phone}@s.whatsapp.net`);
      assert.deepEqual([at(row, 'state'), at(row, 'code')], ['failed', 'recipient_not_on_whatsapp']);
    }
    await support.event('bulk_finished', (data) => at(data, 'bulk_id') === id);
    const told = support.events('bulk_progress').filter((data) => at(data, 'bulk_id') === id);
    assert.ok(told.length > 0);
    assert.equal(support.events('bulk_finished').filter((data) => at(data, 'bulk_id') === id).length, 1);
    await eventually(async () => (await count(id, 'sent')) === 0, 20_000);
    const page = await support.ask('/bulk');
    assert.equal(at(page, 'bulks', 0, 'bulk_id'), id);
  });

  test('with media uploads it once, and gives every recipient the same file and a caption of their own', async () => {
    const people = numbers(2000, 3);
    for (const phone of people) await support.contact(phone);
    const { id } = await create({
      message: { type: 'image', base64: examplePng, caption: 'For {{who}}' },
      recipients: people.map((to) => ({ to, variables: { who: to } })),
      pacing: quick,
    });
    await until(id, 'finished');
    const hashes = new Set<unknown>();
    for (const phone of people) {
      const [message, ...more] = await inbox(support.gateway, 'support', phone);
      assert.deepEqual(more, []);
      assert.equal(at(message, 'caption'), `For ${phone}`);
      hashes.add(at(message, 'media', 'sha256'));
    }
    assert.equal(hashes.size, 1);
    const ids = [...(await eachState(id)).values()].map((row) => String(at(row, 'message_id')));
    const keys = await support.gateway.database?.query(
      "select distinct media->>'mediaKey' as key from messages where id = any ($1)",
      [ids],
    );
    assert.equal(keys?.length, 1);
  });

  test('is refused when a name has no value, or the message is not one', async () => {
    const recipients = ['+15553009001', { to: '+15553009002', variables: { name: 'Ann' } }];
    const missing = await support.post('/messages/bulk', {
      message: { type: 'text', text: 'Hi {{name}}' },
      recipients,
    });
    assert.equal(missing.status, 400);
    assert.equal(at(missing.json, 'error', 'details', 0, 'field'), 'recipients[0].variables.name');
    assert.match(String(at(missing.json, 'error', 'details', 0, 'expected')), /\{\{name\}\}/);
    const wrong = [
      { message: { type: 'text', text: 'Hi', to: '+15553009001' }, recipients },
      { message: { type: 'text' }, recipients },
      { message: { type: 'sonnet', text: 'Hi' }, recipients },
      { message: { type: 'poll', question: 'Lunch?', options: ['Yes', 'Yes'] }, recipients },
      { message: { type: 'contact' }, recipients },
      { message: { type: 'text', text: 'Hi' }, recipients: [] },
      { message: { type: 'text', text: 'Hi' }, recipients: ['nobody'] },
      { message: { type: 'text', text: 'Hi' }, recipients: ['+15553009001'], start_at: 9_999_999_999 },
    ];
    for (const body of wrong) {
      const answer = await support.post('/messages/bulk', body);
      assert.equal(errorOf(answer), 'invalid_request', JSON.stringify(body) + answer.text);
    }
    assert.equal(errorOf(await support.get('/bulk/bulk_unknown')), 'bulk_not_found');
    assert.equal(errorOf(await support.post('/bulk/bulk_unknown/pause')), 'bulk_not_found');
  });

  test('can be paused, gone on with and cancelled, and lets answers pass meanwhile', async () => {
    const people = numbers(3000, 40);
    for (const phone of people) await support.contact(phone);
    const { id } = await create({ message: { type: 'text', text: 'News' }, recipients: people, pacing: unhurried });
    await eventually(async () => (await count(id, 'queued')) < 38, 20_000);
    const answer = await support.ask('/messages/text', { to: people[39], text: 'An answer' });
    assert.equal(at(answer, 'status'), 'sent');
    assert.ok((await count(id, 'queued')) > 0);
    assert.equal(at(await support.ask(`/bulk/${id}/pause`, {}), 'status'), 'paused');
    assert.equal(errorOf(await support.post(`/bulk/${id}/pause`)), 'bulk_is_over');
    await eventually(async () => (await count(id, 'sending')) === 0);
    const paused = await count(id, 'queued');
    await support.ask('/messages/text', { to: people[39], text: 'Another answer' });
    assert.equal(await count(id, 'queued'), paused);
    assert.equal(at(await support.ask(`/bulk/${id}/resume`, {}), 'status'), 'running');
    await eventually(async () => (await count(id, 'queued')) < paused, 20_000);
    const cancelled = await support.ask(`/bulk/${id}/cancel`, {});
    assert.equal(at(cancelled, 'status'), 'cancelled');
    assert.ok(Number(at(cancelled, 'counts', 'cancelled')) > 0);
    assert.equal(errorOf(await support.post(`/bulk/${id}/resume`)), 'bulk_is_over');
    await support.event('bulk_finished', (data) => at(data, 'bulk_id') === id && at(data, 'status') === 'cancelled');
    await eventually(async () => (await count(id, 'sending')) === 0);
    let received = 0;
    for (const phone of people) received += (await textsOf(phone)).filter((text) => text === 'News').length;
    assert.equal(received, 40 - (await count(id, 'cancelled')));
  });

  test('begins when it is told to', async () => {
    await support.contact('15553009100');
    const start = Math.ceil(Date.now() / 1000) + 3;
    const { id, answer } = await create({
      message: { type: 'text', text: 'On time' },
      recipients: ['15553009100'],
      pacing: quick,
      start_at: start,
    });
    assert.equal(at(answer, 'status'), 'scheduled');
    assert.equal(at(await bulk(id), 'status'), 'scheduled');
    await until(id, 'finished');
    assert.ok(Date.now() / 1000 >= start);
    assert.deepEqual(await textsOf('15553009100'), ['On time']);
  });

  test('is neither doubled nor cut short when the gateway is killed in the middle, again and again', async () => {
    const people = numbers(4000, 60);
    for (const phone of people) await support.contact(phone);
    const { id } = await create({
      message: { type: 'text', text: 'To {{n}}' },
      recipients: people.map((to) => ({ to, variables: { n: to } })),
      pacing: { interval_ms: 40, jitter_ms: 20 },
    });
    for (const left of [45, 25]) {
      await eventually(
        async () => (await count(id, 'queued')) <= left,
        endMs,
        () => bulk(id),
      );
      await support.gateway.kill();
      await support.gateway.boot();
      await untilConnected(support.gateway, 'support');
    }
    const seen = await until(id, 'finished');
    assert.equal(at(seen, 'counts', 'failed'), 0);
    for (const phone of people) assert.deepEqual(await textsOf(phone), [`To ${phone}`]);
  });

  test('goes on after its process died', async () => {
    const people = numbers(5000, 20);
    for (const phone of people) await support.contact(phone);
    const { id } = await create({ message: { type: 'text', text: 'Go on' }, recipients: people, pacing: unhurried });
    await eventually(async () => (await count(id, 'queued')) < 15, 20_000);
    process.kill(Number(at(await support.ask(''), 'child', 'pid')), 'SIGKILL');
    await until(id, 'finished');
    for (const phone of people) assert.deepEqual(await textsOf(phone), ['Go on']);
  });

  test('is paused, and says why, when the session is logged out, and can go on once it is paired again', async () => {
    const people = numbers(6000, 30);
    for (const phone of people) await support.contact(phone);
    const { id } = await create({ message: { type: 'text', text: 'Cut off' }, recipients: people, pacing: unhurried });
    await eventually(async () => (await count(id, 'queued')) < 28, 20_000);
    await support.fault({ fault: 'logout' });
    await untilStatus(support.gateway, 'support', 'logged_out');
    const seen = await until(id, 'paused');
    assert.match(String(at(seen, 'status_reason')), /logged out/);
    assert.ok(Number(at(seen, 'counts', 'queued')) > 0);
    await support.ask('/connect', {});
    await untilStatus(support.gateway, 'support', 'waiting_for_qr');
    await support.ask('/sandbox/scan', { phone: ownPhone });
    await untilConnected(support.gateway, 'support');
    await support.ask(`/bulk/${id}/resume`, {});
    await until(id, 'finished');
    for (const phone of people) assert.deepEqual(await textsOf(phone), ['Cut off']);
  });
});

describe('a message to many within the limits of a session', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({
      PACING_MESSAGES_PER_SECOND: '100',
      PACING_BURST: '50',
      PACING_WARM_UP_NEW_CHATS: '3',
    });
  });

  after(() => support.dispose());

  test('waits with new chats and goes on with people who are known, and says until when it waits', async () => {
    const strangers = Array.from({ length: 6 }, (_, n) => `1555400000${n}`);
    const writer = '15554000100';
    for (const phone of [...strangers, writer]) await support.contact(phone);
    await support.ask('/sandbox/messages', { from: writer, text: 'Keep me posted' });
    await support.event('message', (data) => at(data, 'body') === 'Keep me posted');
    const recipients = [...strangers, writer];
    const created = await support.ask('/messages/bulk', {
      message: { type: 'text', text: 'News' },
      recipients,
      pacing: quick,
    });
    const id = String(at(created, 'bulk_id'));
    const seen = await eventually(
      async () => {
        const now = await support.ask(`/bulk/${id}`);
        return at(now, 'held_until') !== null && at(now, 'counts', 'queued') === 3 ? now : null;
      },
      20_000,
      () => support.ask(`/bulk/${id}`),
    );
    assert.match(String(at(seen, 'held_reason')), /3 of 3 new chats.*warm-up/);
    assert.ok(Number(at(seen, 'held_until')) > Date.now() / 1000 + 80_000);
    assert.ok(Number(at(seen, 'estimated_end')) >= Number(at(seen, 'held_until')));
    assert.equal((await inbox(support.gateway, 'support', writer)).length, 1);
    const raised = await support.gateway.api.call('PATCH', '/api/v1/sessions/support', {
      body: { pacing: { enabled: false } },
    });
    assert.equal(raised.status, 200);
    await eventually(async () => at(await support.ask(`/bulk/${id}`), 'status') === 'finished', 20_000);
    for (const phone of recipients) assert.equal((await inbox(support.gateway, 'support', phone)).length, 1);
  });

  test('stops with new chats when WhatsApp refuses one', async () => {
    await support.gateway.api.call('PATCH', '/api/v1/sessions/support', { body: { pacing: { new_chats_per_day: 0 } } });
    const strangers = Array.from({ length: 5 }, (_, n) => `1555400020${n}`);
    for (const phone of strangers) await support.contact(phone);
    await support.fault({ fault: 'refuse_send', code: 463, count: 1 });
    const created = await support.ask('/messages/bulk', {
      message: { type: 'text', text: 'Hello stranger' },
      recipients: strangers,
      pacing: quick,
    });
    const path = `/bulk/${String(at(created, 'bulk_id'))}`;
    const seen = await eventually(
      async () => {
        const now = await support.ask(path);
        return at(now, 'held_until') !== null ? now : null;
      },
      20_000,
      () => support.ask(path),
    );
    assert.match(String(at(seen, 'held_reason')), /463/);
    assert.deepEqual([at(seen, 'counts', 'failed'), at(seen, 'counts', 'queued')], [1, 4]);
    const failed = await support.ask(`${path}/recipients?state=failed`);
    assert.equal(at(failed, 'recipients', 0, 'code'), '463');
    await support.event('session_pacing', (data) => at(data, 'kind') === 'new_chats');
  });

  test('takes ten thousand recipients at once', async () => {
    const recipients = Array.from({ length: 10_000 }, (_, n) => ({
      to: `+${15_556_000_000 + n}`,
      variables: { name: `Person ${n}`, code: String(n) },
    }));
    const usedMb = async () =>
      Number(at((await support.gateway.get('/stats')).json, 'processes', 'supervisor', 'private_bytes')) / 2 ** 20;
    const before = await usedMb();
    const answer = await support.post('/messages/bulk', {
      message: { type: 'text', text: 'Dear {{name}}, {{code}}' },
      recipients,
      start_at: Math.floor(Date.now() / 1000) + 86_400,
    });
    assert.equal(answer.status, 202, answer.text.slice(0, 300));
    assert.equal(at(answer.json, 'accepted'), 10_000);
    assert.equal(at(answer.json, 'status'), 'scheduled');
    const path = `/bulk/${String(at(answer.json, 'bulk_id'))}`;
    assert.equal(at(await support.ask(path), 'counts', 'queued'), 10_000);
    const grownMb = (await usedMb()) - before;
    assert.ok(grownMb < 100, `the supervisor has grown by ${grownMb} MB`);
    const last = await support.ask(`${path}/recipients?limit=1`);
    assert.equal(at(last, 'total'), 10_000);
    const tooMany = await support.post('/messages/bulk', {
      message: { type: 'text', text: 'Hi' },
      recipients: Array.from({ length: 10_001 }, (_, n) => `+${15_556_000_000 + n}`),
    });
    assert.equal(tooMany.status, 400);
    assert.equal(at(await support.ask(`${path}/cancel`, {}), 'counts', 'cancelled'), 10_000);
  });
});
