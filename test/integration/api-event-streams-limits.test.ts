import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { superadmin } from '../../src/api/auth/principal.ts';
import { operations } from '../../src/contract/index.ts';
import type { SessionEvent } from '../../src/contract/events.ts';
import type { Store } from '../../src/store/store.ts';
import { startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { SseClient } from '../support/sse-client.ts';
import { createOwnedSession, sessionId, someEvent } from '../support/store-fixtures.ts';

let api: ApiUnderTest;
/** Reaches the database while the API does not. */
let direct: Store;
let proxy: DatabaseProxy;
const clients: SseClient[] = [];

before(async () => {
  api = await startApi({
    // Keeps no frame but the latest: whoever is behind reads from the database.
    streams: { beatMs: 50, stalledBeats: 20, budgetBytes: 1 },
    openStore: async (database) => {
      proxy = await startDatabaseProxy(database.url);
      return database.openStore(proxy.url);
    },
  });
  direct = await api.database.openStore();
  await createOwnedSession(direct, 'a');
});
after(async () => {
  proxy.mode = 'open';
  await api.close();
  await proxy.close();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function listen(path: string, headers: Readonly<Record<string, string>> = {}): Promise<SseClient> {
  const client = await SseClient.open(`${api.baseUrl}/api/v1${path}`, { token: testToken, headers });
  clients.push(client);
  await eventually(() => client.isEnded || client.lastId !== '');
  return client;
}

const resume = (id: string) => ({ 'last-event-id': id });
const emit = (session: string, event: SessionEvent): Promise<void> =>
  direct.commits.emit(sessionId(session), event, 1_700_000_000_000);
/** Sixteen megabytes: more than sockets hold. */
const count = 1000;
const longEvent = (id: number): SessionEvent => ({
  name: 'message_failed',
  data: { message_id: String(id), chat: '', code: null, reason: 'x'.repeat(16_384) },
});
const emitMany = () => Promise.all(Array.from({ length: count }, (_, index) => emit('a', longEvent(index))));
const allIds = Array.from({ length: count }, (_, index) => String(index));

describe('a client that reads slowly', () => {
  test('costs the gateway a bounded amount of memory, and nobody else any time', async () => {
    const wanted = { only: null, sessions: null, names: null };
    const { signal } = new AbortController();
    const principal = async () => superadmin;
    const holder = { token: superadmin.id, address: '127.0.0.1' };
    const idle = await api.dependencies.streams.open({ wanted, lastEventId: '', holder, principal, signal });
    try {
      idle.read(0);
      const other = await listen('/events');
      await emitMany();
      assert.deepEqual(await other.untilTold(count), allIds);
      assert.ok(idle.readableLength > 0 && idle.readableLength < 256 * 1024, `${idle.readableLength} bytes`);
    } finally {
      idle.destroy();
    }
  });

  test('gets everything in order as soon as it reads on', async () => {
    const client = await listen('/events');
    client.pause();
    await emitMany();
    client.resume();
    assert.deepEqual(await client.untilTold(count), allIds);
  });

  test('is cut off when it does not read at all, and goes on where it was', async () => {
    const client = await listen('/events');
    client.pause();
    await emitMany();
    const { streams } = api.dependencies;
    await eventually(
      () => streams.size === 0,
      15_000,
      () => streams.size,
    );
    client.resume();
    await client.untilEnded();
    assert.ok(client.told.length < count);
    const next = await listen('/events', resume(client.lastId));
    await eventually(() => client.told.length + next.told.length >= count);
    assert.deepEqual([...client.told, ...next.told], allIds);
  });
});

describe('events that were deleted meanwhile', () => {
  test('says so when events are not stored any more, and tells those that are left', async () => {
    await createOwnedSession(direct, 'old');
    const early = await listen('/events');
    const start = early.lastId;
    for (const id of ['1', '2', '3']) await emit('old', someEvent(id));
    await early.untilTold(3);
    await api.database.query("delete from events where session_id = 'old' and sequence <= 2");
    const all = await listen('/events', resume(start));
    assert.deepEqual(await all.untilTold(1), ['3']);
    assert.equal(all.messages[0]?.event, 'stream_reset');
    assert.equal(operations.streamEvents.result.safeParse(all.messages[0].data).success, true);
    // Nothing of this one is missing, and whoever begins now misses nothing either.
    const other = await listen('/sessions/a/events', resume(start));
    const fresh = await listen('/sessions/old/events');
    const further = await listen('/sessions/old/events', resume(all.lastId));
    await emit('a', someEvent('x'));
    await emit('old', someEvent('y'));
    assert.deepEqual(await other.untilTold(1), ['x']);
    assert.deepEqual(await fresh.untilTold(1), ['y']);
    assert.deepEqual(await further.untilTold(1), ['y']);
    for (const client of [other, fresh, further]) assert.equal(client.messages.length, 1);
  });
});

describe('while the database is away', () => {
  test('streams stay open and alive, and tell what they missed when it is back', async () => {
    await createOwnedSession(direct, 'guest');
    const client = await listen('/events');
    const guest = await listen('/sessions/guest/events');
    proxy.mode = 'cut';
    await emit('a', someEvent('1'));
    await direct.sessions.delete(sessionId('guest'));
    const beats = client.comments.length;
    await eventually(() => client.comments.length > beats + 2);
    assert.deepEqual([client.isEnded, guest.isEnded], [false, false]);
    proxy.mode = 'open';
    assert.deepEqual(await client.untilTold(1), ['1']);
    await emit('a', someEvent('2'));
    assert.deepEqual(await client.untilTold(2), ['1', '2']);
    await guest.untilEnded();
    assert.equal(guest.messages.at(-1)?.event, 'session_deleted');
  });

  test('a client that gives up on errors is asked to come back instead', async () => {
    proxy.mode = 'cut';
    try {
      const plain = await eventually(async () => {
        const answer = await SseClient.open(`${api.baseUrl}/api/v1/events`, { token: testToken });
        clients.push(answer);
        return answer.status === 503 ? answer : null;
      });
      assert.ok(Number(plain.headers['retry-after']) > 0);
      const client = await listen('/sessions/a/events', { accept: 'text/event-stream' });
      await client.untilEnded();
      assert.equal(client.status, 200);
      assert.match(client.text, /^retry: \d+\n\n: /);
    } finally {
      proxy.mode = 'open';
    }
  });
});

test('a gateway that stops ends its streams, and opens no more', async () => {
  const client = await eventually(async () => {
    const opened = await listen('/events');
    return opened.status === 200 ? opened : null;
  });
  api.dependencies.streams.close();
  await client.untilEnded();
  assert.match(client.comments.at(-1) ?? '', /stops/);
  const refused = await api.client.call('GET', '/api/v1/events');
  assert.equal(refused.status, 503);
});
