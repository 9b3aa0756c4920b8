import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Authenticator, Principal } from '../../src/api/auth/principal.ts';
import { superadmin } from '../../src/api/auth/principal.ts';
import { operations } from '../../src/contract/index.ts';
import { at } from '../support/api-client.ts';
import { startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';
import { SseClient } from '../support/sse-client.ts';
import { createOwnedSession, newWebhook, sessionId, someEvent } from '../support/store-fixtures.ts';

const readToken = 'a-token-that-reads-one-session';
/** Who the tokens belong to; tests take them away and change them. */
const holders = new Map<string, Principal>([[testToken, superadmin]]);
const auth: Authenticator = {
  authenticate: async (token) => holders.get(token) ?? null,
  principalOf: async () => null,
};

let api: ApiUnderTest;
const clients: SseClient[] = [];

before(async () => {
  api = await startApi({ auth, streams: { most: 6, beatMs: 40, recheckBeats: 2, stalledBeats: 100_000 } });
  for (const name of ['a', 'b']) await createOwnedSession(api.store, name);
});
after(() => api.close());
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
});

async function listen(
  path: string,
  { token = testToken, headers = {} }: { readonly token?: string; readonly headers?: Record<string, string> } = {},
): Promise<SseClient> {
  const client = await SseClient.open(`${api.baseUrl}/api/v1${path}`, { token, headers });
  clients.push(client);
  // The place to go on from comes first: from now on nothing is missed.
  if (client.status === 200) await eventually(() => client.lastId !== '');
  return client;
}

const resume = (id: string) => ({ headers: { 'last-event-id': id } });
const emit = (session: string, id: string): Promise<void> =>
  api.store.commits.emit(sessionId(session), someEvent(id), 1_700_000_000_000);

describe('a stream of events', () => {
  test('tells what happens from now on, with the body that a webhook would get', async () => {
    await emit('a', 'before');
    const client = await listen('/sessions/a/events');
    assert.equal(client.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(client.headers['cache-control'], 'no-store');
    assert.equal(client.headers['x-accel-buffering'], 'no');
    assert.match(client.text, /^retry: \d+\n\n/);

    await api.store.webhooks.create(sessionId('a'), newWebhook('wh_same'));
    await emit('a', 'now');
    assert.deepEqual(await client.untilTold(1), ['now']);
    const [message] = client.messages;
    assert.equal(message?.event, 'message_failed');
    const { success, data } = operations.streamSessionEvents.result.safeParse(message.data);
    assert.ok(success);
    const [delivery] = await api.store.outbox.claim(1, 1000);
    assert.deepEqual(
      [data.id, data.event, data.session_id, data.timestamp, data.sequence, data.data],
      [delivery?.event.id, 'message_failed', 'a', 1_700_000_000, delivery?.event.sequence, delivery?.event.data],
    );
  });

  test('of one session tells nothing of another; that of all sessions tells both in one order', async () => {
    const [one, all] = [await listen('/sessions/a/events'), await listen('/events')];
    for (const session of ['b', 'a', 'b', 'a']) await emit(session, session);
    assert.deepEqual(await all.untilTold(4), ['b', 'a', 'b', 'a']);
    assert.deepEqual(await one.untilTold(2), ['a', 'a']);
  });

  test('tells only the sessions and events that were asked for', async () => {
    const byName = await listen('/events?event=call&event=message_failed');
    const byComma = await listen('/events?event=call,presence');
    const bySession = await listen('/events?session=b,a&event=all');
    const byOther = await listen('/events?session=b');
    await emit('a', 'x');
    await emit('b', 'y');
    assert.deepEqual(await byName.untilTold(2), ['x', 'y']);
    assert.deepEqual(await bySession.untilTold(2), ['x', 'y']);
    assert.deepEqual(await byOther.untilTold(1), ['y']);
    assert.deepEqual(byComma.told, []);
  });

  test('says which filter is wrong', async () => {
    for (const [query, field, status] of [
      ['event=messages', 'event[0]', 400],
      ['event=message,nonsense', 'event[1]', 400],
      ['event=', 'event[0]', 400],
      ['session=not%20an%20id', 'session[0]', 400],
      ['sessions=a', 'sessions', 400],
      ['session=a,nobody', undefined, 404],
    ] as const) {
      const answer = await api.client.call('GET', `/api/v1/events?${query}`);
      assert.equal(answer.status, status, answer.text);
      assert.equal(at(answer.json, 'error', 'details', 0, 'field'), field, answer.text);
    }
    assert.equal((await api.client.call('GET', '/api/v1/sessions/nobody/events')).status, 404);
  });

  test('gives signs of life that move the place to go on from, also when nothing of interest happens', async () => {
    const client = await listen('/events?event=call');
    const start = client.lastId;
    await eventually(() => client.comments.length >= 2);
    assert.equal(client.lastId, start);
    await emit('a', 'of no interest');
    await eventually(() => client.lastId !== start);
    assert.deepEqual(client.messages, []);
    const next = await listen('/events', resume(client.lastId));
    await emit('a', 'next');
    assert.deepEqual(await next.untilTold(1), ['next']);
  });

  test('answers a question for its headers without opening', async () => {
    const answer = await api.client.call('HEAD', '/api/v1/events');
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'] ?? '', /^text\/event-stream/);
  });
});

describe('going on after an interruption', () => {
  test('begins after the id that was seen last, from the header before the query', async () => {
    const first = await listen('/events');
    for (const id of ['1', '2', '3']) await emit('a', id);
    await first.untilTold(3);
    const [one, two] = first.messages.map(({ id }) => id ?? '');
    const byHeader = await listen('/events', resume(one ?? ''));
    assert.deepEqual(await byHeader.untilTold(2), ['2', '3']);
    const byQuery = await listen(`/sessions/a/events?last_event_id=${two}`);
    assert.deepEqual(await byQuery.untilTold(1), ['3']);
    const both = await listen(`/events?last_event_id=${one}`, resume(two ?? ''));
    assert.deepEqual(await both.untilTold(1), ['3']);
  });

  test('repeats and misses nothing while events go on being written', async () => {
    const start = (await listen('/events')).lastId;
    const count = 1500;
    const earlier = Array.from({ length: 700 }, (_, index) => emit(index % 2 === 0 ? 'a' : 'b', String(index)));
    await Promise.all(earlier);
    const client = await listen('/events', resume(start));
    const later = Array.from({ length: count - 700 }, (_, index) => emit('a', String(700 + index)));
    await Promise.all(later);
    const told = await client.untilTold(count);
    assert.equal(told.length, count);
    assert.equal(new Set(told).size, count);
    const ofOne = told.filter((_, index) => at(client.messages[index]?.data, 'session_id') === 'a').map(Number);
    assert.deepEqual(
      ofOne,
      ofOne.toSorted((x, y) => x - y),
    );
  });

  test('refuses an id that was never given out, and names the field', async () => {
    const { lastId } = await listen('/events');
    const [identity, position] = lastId.split('-');
    for (const id of [
      'nonsense',
      '12',
      `${identity}-${Number(position) + 1000}`,
      `00000000-${position}`,
      `${lastId}x`,
    ]) {
      const answer = await api.client.call('GET', '/api/v1/events', { headers: { 'last-event-id': id } });
      assert.equal(answer.status, 400, id);
      assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'last_event_id');
    }
  });
});

describe('sessions that come and go', () => {
  test('are told to who listens to all, without an id to go on from', async () => {
    const client = await listen('/events');
    const place = client.lastId;
    await createOwnedSession(api.store, 'guest');
    await api.client.call('PATCH', '/api/v1/sessions/guest', { body: { name: 'Guest' } });
    await api.client.call('DELETE', '/api/v1/sessions/guest');
    await client.message('session_deleted');
    assert.deepEqual(
      client.messages.map(({ id, event, data }) => [id, event, at(data, 'session_id')]),
      ['session_created', 'session_updated', 'session_deleted'].map((name) => [null, name, 'guest']),
    );
    assert.equal(client.lastId, place);
    for (const { data } of client.messages) assert.ok(operations.streamEvents.result.safeParse(data).success);
  });

  test('end the stream that is about them alone', async () => {
    await createOwnedSession(api.store, 'guest');
    const client = await listen('/sessions/guest/events?event=message');
    await api.store.sessions.delete(sessionId('guest'));
    await client.untilEnded();
    assert.deepEqual(
      client.messages.map(({ event }) => event),
      ['session_deleted'],
    );
  });
});

describe('who may listen', () => {
  const narrow: Principal = { id: 'narrow', scopes: ['read'], sessions: [sessionId('a')] };

  test('nobody without a token', async () => {
    for (const path of ['/api/v1/events', '/api/v1/sessions/a/events']) {
      assert.equal((await api.client.call('GET', path, { token: null })).status, 401);
    }
  });

  test('a token hears its own sessions only, and is told that others do not exist', async () => {
    holders.set(readToken, narrow);
    const client = await listen('/events', { token: readToken });
    await emit('b', 'hidden');
    await emit('a', 'seen');
    assert.deepEqual(await client.untilTold(1), ['seen']);
    for (const path of ['/events?session=b', '/sessions/b/events']) {
      assert.equal((await listen(path, { token: readToken })).status, 404);
    }
    holders.set(readToken, { ...narrow, scopes: ['send'] });
    assert.equal((await listen('/events', { token: readToken })).status, 403);
  });

  test('codes with which a phone can be linked are told only to who may ask for them', async () => {
    holders.set(readToken, narrow);
    const [reader, manager] = [await listen('/events', { token: readToken }), await listen('/events')];
    const qr = { name: 'qr_code', data: { qr: 'secret', expires_at: 1_700_000_060, attempt: 1 } } as const;
    await api.store.commits.emit(sessionId('a'), qr, 1_700_000_000_000);
    await emit('a', 'after');
    await manager.untilTold(2);
    assert.deepEqual(await reader.untilTold(1), ['after']);
    assert.ok(!reader.text.includes('secret'));
  });

  test('a token that is revoked loses its streams, and one that is narrowed hears less', async () => {
    holders.set(readToken, { ...narrow, sessions: [sessionId('a'), sessionId('b')] });
    const [one, all] = [
      await listen('/sessions/b/events', { token: readToken }),
      await listen('/events', { token: readToken }),
    ];
    holders.set(readToken, narrow);
    await one.untilEnded();
    assert.equal(all.isEnded, false);
    await emit('b', 'hidden');
    await emit('a', 'seen');
    assert.deepEqual(await all.untilTold(1), ['seen']);
    holders.delete(readToken);
    await all.untilEnded();
    assert.match(all.comments.at(-1) ?? '', /token/);
  });

  test('no more than the gateway has room for; who is too many is told when to come back', async () => {
    const open = await Promise.all(Array.from({ length: 6 }, () => listen('/events')));
    const refused = await api.client.call('GET', '/api/v1/sessions/a/events');
    assert.equal(refused.status, 429);
    assert.equal(at(refused.json, 'error', 'type'), 'rate_limited');
    assert.ok(Number(refused.headers['retry-after']) > 0);
    open[0]?.close();
    await eventually(async () => (await listen('/events')).status === 200);
  });
});
