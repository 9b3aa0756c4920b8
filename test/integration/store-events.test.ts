import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { logger } from '../../src/log.ts';
import { appendEvents } from '../../src/store/event-log.ts';
import type { EventSelection, SessionNotice } from '../../src/store/events-store.ts';
import { openDatabase, type Database } from '../../src/store/pool.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createOwnedSession, sessionId, someEvent } from '../support/store-fixtures.ts';

const everything: EventSelection = { sessions: null, names: null };

let testDatabase: TestDatabase;
let store: Store;
let database: Database;

before(async () => {
  testDatabase = await createTestDatabase();
  store = await testDatabase.openStore();
  database = await openDatabase(testDatabase.url, logger('test'));
});
after(async () => {
  await database.end();
  await testDatabase.dispose();
});
beforeEach(async () => {
  await testDatabase.query('delete from sessions');
});

const emit = (session: string, id: string): Promise<void> =>
  store.commits.emit(sessionId(session), someEvent(id), 1_700_000_000_000);

/** Everything that a reader sees who goes on from a position, page by page. */
async function readFrom(position: number, selection = everything, limit = 100) {
  const told: string[] = [];
  for (;;) {
    const page = await store.events.listAfter(position, selection, limit);
    told.push(...page.events.map(({ session, sequence }) => `${session} ${sequence}`));
    position = page.through;
    if (page.isLast) return { told, position };
  }
}

describe('the order of all events', () => {
  test('is that of commits: a reader misses nothing of two transactions that overlap, whichever began first', async () => {
    await createOwnedSession(store, 'a');
    await createOwnedSession(store, 'b');
    const start = (await store.events.head()).position;
    const gates = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
    const began = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
    let ids = 0;
    const write = (session: 'a' | 'b') =>
      database.transaction(async (transaction) => {
        const event = { session, event: someEvent(session), at: 1_700_000_000_000 };
        await appendEvents(transaction, [event], () => `evt_test_${session}_${ids++}`);
        began[session].resolve();
        await gates[session].promise;
      });
    const first = write('a');
    await began.a.promise;
    let isSecondDone = false;
    const second = write('b').then(() => (isSecondDone = true));
    gates.b.resolve();
    // The second one either waits for the first, or is through: then a reader can be ahead of the first.
    await eventually(async () => isSecondDone || (await isSomebodyWaiting()));
    const meanwhile = await readFrom(start);
    gates.a.resolve();
    await Promise.all([first, second]);
    const later = await readFrom(meanwhile.position);
    assert.deepEqual([...meanwhile.told, ...later.told].toSorted(), ['a 1', 'b 1']);
    assert.equal(later.position, (await store.events.head()).position);
  });

  test('goes on over a transaction that was rolled back', async () => {
    await createOwnedSession(store, 'a');
    const start = (await store.events.head()).position;
    const failed = database.transaction(async (transaction) => {
      await appendEvents(transaction, [{ session: 'a', event: someEvent('lost'), at: 1 }], () => 'evt_test_lost');
      throw new Error('no');
    });
    await assert.rejects(failed, /no/);
    await emit('a', 'kept');
    assert.deepEqual(await readFrom(start), { told: ['a 1'], position: start + 1 });
  });

  test('is the order of each session too, with many writers on several connections', async () => {
    const other = await testDatabase.openStore();
    for (const name of ['a', 'b', 'c']) await createOwnedSession(store, name);
    const start = (await store.events.head()).position;
    const writes = Array.from({ length: 300 }, (_, index) => {
      const writer = index % 2 === 0 ? store : other;
      return writer.commits.emit(sessionId(['a', 'b', 'c'][index % 3] ?? 'a'), someEvent(String(index)), index);
    });
    // Reads all the while, as a stream does.
    const seen: string[] = [];
    let position = start;
    await eventually(async () => {
      const page = await readFrom(position, everything, 7);
      seen.push(...page.told);
      position = page.position;
      return seen.length >= 300;
    });
    await Promise.all(writes);
    for (const session of ['a', 'b', 'c']) {
      const own = seen.filter((each) => each.startsWith(session));
      assert.deepEqual(
        own,
        Array.from({ length: 100 }, (_, index) => `${session} ${index + 1}`),
      );
    }
  });

  test('is read by session and by name, and a page says where to go on also when it holds nothing', async () => {
    await createOwnedSession(store, 'a');
    await createOwnedSession(store, 'b');
    const start = (await store.events.head()).position;
    for (const session of ['a', 'b', 'a', 'b']) await emit(session, 'x');
    assert.deepEqual((await readFrom(start, { sessions: ['b'], names: null }, 1)).told, ['b 1', 'b 2']);
    const none = await store.events.listAfter(start, { sessions: null, names: ['call'] }, 10);
    assert.deepEqual(none, { events: [], through: start + 4, isLast: true });
  });
});

describe('events that are not stored any more', () => {
  test('are known by the position up to which they are gone, session by session', async () => {
    await createOwnedSession(store, 'a');
    await createOwnedSession(store, 'b');
    const start = (await store.events.head()).position;
    for (const session of ['a', 'b', 'a']) await emit(session, 'x');
    assert.equal(await store.events.prunedThrough(null), 0);
    await testDatabase.query("delete from events where session_id = 'a' and sequence = 1");
    await testDatabase.query("delete from events where session_id = 'b'");
    assert.equal(await store.events.prunedThrough(['a']), start + 1);
    assert.equal(await store.events.prunedThrough(['b']), start + 2);
    assert.equal(await store.events.prunedThrough(null), start + 2);
    assert.equal(await store.events.prunedThrough(['c']), 0);
  });

  test('do not count as gone when their whole session is', async () => {
    await createOwnedSession(store, 'a');
    await emit('a', 'x');
    const { position } = await store.events.head();
    await testDatabase.query("delete from events where session_id = 'a'");
    assert.equal(await store.events.prunedThrough(null), position);
    await emit('a', 'y');
    await store.sessions.delete(sessionId('a'));
    assert.equal(await store.events.prunedThrough(null), 0);
    assert.equal((await store.events.head()).position, position + 1);
  });
});

test('whoever listens hears of new events, and of sessions that come, change and go', async () => {
  const notices: (SessionNotice | null)[] = [];
  let calls = 0;
  const stops = [store.events.onNew(() => (calls += 1)), store.events.onNotice((notice) => notices.push(notice))];
  try {
    await eventually(() => calls > 0 && notices.length > 0);
    notices.length = 0;
    const other = await testDatabase.openStore();
    await createOwnedSession(other, 'a');
    const before = calls;
    await other.commits.emit(sessionId('a'), someEvent('x'), 1);
    await eventually(() => calls > before);
    await other.sessions.update(sessionId('a'), { name: 'Support' });
    await other.sessions.delete(sessionId('a'));
    await eventually(() => notices.length >= 3);
    assert.deepEqual(notices, [
      { event: 'session_created', session: 'a' },
      { event: 'session_updated', session: 'a' },
      { event: 'session_deleted', session: 'a' },
    ]);
  } finally {
    for (const stop of stops) stop();
  }
});

/** Whether a connection of this database waits for another one's lock. */
async function isSomebodyWaiting(): Promise<boolean> {
  const rows = await testDatabase.query(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows.length > 0;
}
