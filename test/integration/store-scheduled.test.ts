import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { MessageId, SessionId } from '../../src/contract/ids.ts';
import { logger } from '../../src/log.ts';
import type { OwnedSession } from '../../src/store/scheduled-store.ts';
import type { AcceptedSend, Store } from '../../src/store/store.ts';
import { ScheduledSends } from '../../src/supervisor/scheduled-sends.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { createStore } from '../../src/store/create-store.ts';
import { systemClock } from '../../src/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { contactJid, createOwnedSession, hasCode, messageId, preparedImage } from '../support/store-fixtures.ts';
import { testKeys } from '../support/test-keys.ts';

const ttlMs = 600_000;
const now = 1_767_225_600_000;

describe('scheduled messages in the store', () => {
  let database: TestDatabase;
  let store: Store;
  let counter = 0;

  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
  });
  after(() => database.dispose());
  beforeEach(async () => {
    await database.query('delete from sessions');
  });

  const newSession = () => createOwnedSession(store, `scheduled-${++counter}`);
  const newId = (): MessageId => messageId(`SCHED-${++counter}`);

  const add = async (session: SessionId, dueAt: number, id = newId()): Promise<MessageId> => {
    const params = { to: contactJid, text: `Due at ${dueAt}` };
    const send = { session, id, operation: 'sendText', params, chat: contactJid, acceptedAt: now, media: null };
    await store.scheduled.add({ ...send, dueAt });
    return id;
  };
  const release = (owned: readonly OwnedSession[], at = now, limit = 200): Promise<readonly AcceptedSend[]> =>
    store.scheduled.release({ now: at, ttlMs, owned, limit });
  const ids = (sends: readonly AcceptedSend[]) => sends.map(({ id }) => id);

  test('become accepted in the order in which they are due, and expire counted from then', async () => {
    const { session, epoch } = await newSession();
    const third = await add(session, now - 1000);
    const first = await add(session, now - 3000);
    const second = await add(session, now - 3000);
    const later = await add(session, now + 1);
    const released = await release([{ session, epoch }]);
    assert.deepEqual(ids(released), [first, second, third]);
    assert.deepEqual(
      released.map(({ acceptedAt, expiresAt }) => [acceptedAt, expiresAt]),
      [
        [now, now - 3000 + ttlMs],
        [now, now - 3000 + ttlMs],
        [now, now - 1000 + ttlMs],
      ],
    );
    assert.deepEqual(await store.messages.listAccepted(session), released);
    assert.equal(await store.scheduled.nextDueAt(), now + 1);
    assert.equal((await store.scheduled.find(session, later))?.dueAt, now + 1);
    assert.equal(await store.scheduled.find(session, first), null);
  });

  test('are taken once by two gateways that look at the same time', async () => {
    const { session, epoch } = await newSession();
    const all = [];
    for (let n = 0; n < 50; n++) all.push(await add(session, now - n));
    const others = [await database.openStore(), await database.openStore(), store];
    const request = { now, ttlMs, owned: [{ session, epoch }], limit: 20 };
    const rounds = await Promise.all(others.flatMap((each) => [1, 2, 3, 4].map(() => each.scheduled.release(request))));
    const left = await release([{ session, epoch }]);
    assert.deepEqual([...rounds.flat(), ...left].map(({ id }) => id).toSorted(), all.toSorted());
  });

  test('belong to the gateway that hosts the session, until their time is over', async () => {
    const { session, epoch } = await newSession();
    await store.sessions.setDesired(session, 'running');
    const id = await add(session, now - 1000);
    assert.deepEqual(await release([]), []);
    assert.deepEqual(await release([{ session, epoch: epoch - 1 }]), []);
    assert.deepEqual(await release([], now - 1000 + ttlMs - 1), []);
    assert.deepEqual(ids(await release([{ session, epoch }])), [id]);
    const late = await add(session, now - 1000);
    const [expired] = await release([], now - 1000 + ttlMs);
    assert.equal(expired?.id, late);
    assert.ok((expired?.expiresAt ?? Infinity) <= now - 1000 + ttlMs);
  });

  test("of a session that nobody hosts are everybody's", async () => {
    const { session } = await newSession();
    const id = await add(session, now);
    assert.deepEqual(ids(await release([])), [id]);
  });

  test('share their ids with messages that were sent', async () => {
    const { session, epoch } = await newSession();
    const id = await add(session, now - 1);
    const send = { session, id, operation: 'sendText', params: {}, chat: contactJid, acceptedAt: now, media: null };
    await assert.rejects(add(session, now, id), hasCode('message_id_taken'));
    await assert.rejects(store.messages.accept({ ...send, expiresAt: now }), hasCode('message_id_taken'));
    await release([{ session, epoch }]);
    await assert.rejects(add(session, now, id), hasCode('message_id_taken'));
  });

  test('are listed by their time, page by page, and can be moved and cancelled', async () => {
    const { session } = await newSession();
    const sorted = [];
    for (let n = 0; n < 5; n++) sorted.push(await add(session, now + Math.floor(n / 2) * 1000));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Store['scheduled']['list']>> = await store.scheduled.list(session, {
        limit: 2,
        cursor,
      });
      assert.equal(page.total, 5);
      seen.push(...page.rows.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(seen, sorted);
    await assert.rejects(
      store.scheduled.list(session, { limit: 2, cursor: 'bm9uc2Vuc2U' }),
      hasCode('invalid_request'),
    );
    const [first = '', second = ''] = sorted;
    assert.equal((await store.scheduled.move(session, first, now + 9000))?.dueAt, now + 9000);
    assert.deepEqual(await store.scheduled.cancel(session, second), { path: null });
    assert.equal(await store.scheduled.cancel(session, second), 'gone');
    assert.equal(await store.scheduled.move(session, second, now), null);
    const { rows } = await store.scheduled.list(session, { limit: 50, cursor: null });
    assert.deepEqual(
      rows.map(({ id }) => id),
      [...sorted.slice(2), first],
    );
  });

  test('keep their spooled file, and go with their session', async () => {
    const { session } = await newSession();
    const media = preparedImage({ tag: 'file', path: '/spool/picture' });
    const params = { to: contactJid, caption: 'Look' };
    const send = { session, operation: 'sendImage', params, chat: contactJid, acceptedAt: now, media, dueAt: now };
    await store.scheduled.add({ ...send, id: newId() });
    await store.scheduled.add({ ...send, id: messageId('PICTURE-2'), dueAt: now + 5 });
    assert.deepEqual(await store.media.listSpooled(), ['/spool/picture', '/spool/picture']);
    const [released] = await release([]);
    assert.deepEqual(released?.media, media);
    assert.deepEqual(await store.media.listSpooled(), ['/spool/picture', '/spool/picture']);
    const { rows } = await store.scheduled.list(session, { limit: 1, cursor: null });
    assert.deepEqual(rows[0]?.media, { mimetype: 'image/png', bytes: 68, fileName: null });
    assert.equal(rows[0]?.body, 'Look');
    assert.deepEqual(await store.scheduled.cancel(session, 'PICTURE-2'), { path: '/spool/picture' });
    await store.sessions.delete(session);
    assert.deepEqual(await store.media.listSpooled(), []);
    assert.equal(await store.scheduled.nextDueAt(), null);
  });

  describe('and the gateway that sends them', () => {
    let proxy: DatabaseProxy;
    let far: Store;
    before(async () => {
      proxy = await startDatabaseProxy(database.url);
      far = await createStore({ connection: proxy.url, log: logger('store'), clock: systemClock, keys: testKeys() });
    });
    after(async () => {
      await far.close();
      await proxy.close();
    });

    const gateway = (owned: readonly OwnedSession[], over: Store) => {
      const released: SessionId[] = [];
      const schedule = new ScheduledSends({
        store: over.scheduled,
        host: { owned: () => owned, release: async (session) => void released.push(session) },
        ttlMs,
        clock: systemClock,
        log: logger('schedule'),
      });
      return { schedule, released };
    };

    test('is woken for a message that is due before the one it waits for', async () => {
      const { session, epoch } = await newSession();
      const { schedule, released } = gateway([{ session, epoch }], store);
      schedule.start();
      try {
        const farAway = Date.now() + 3_600_000;
        await add(session, farAway);
        schedule.wakeAt(farAway);
        const id = await add(session, Date.now() + 150);
        schedule.wakeAt(Date.now() + 150);
        await eventually(() => released.includes(session), 5000);
        assert.deepEqual(ids(await store.messages.listAccepted(session)), [id]);
      } finally {
        await schedule.stop();
      }
    });

    test('begins with what was due, and with what was accepted, before it started', async () => {
      const { session, epoch } = await newSession();
      const { session: other } = await newSession();
      await add(session, Date.now() - 5000);
      const send = { session: other, operation: 'sendText', params: {}, chat: contactJid, media: null };
      await store.messages.accept({ ...send, id: newId(), acceptedAt: Date.now(), expiresAt: Date.now() + ttlMs });
      const { schedule, released } = gateway([{ session, epoch }], store);
      schedule.start();
      try {
        await eventually(() => released.includes(session) && released.includes(other));
      } finally {
        await schedule.stop();
      }
    });

    test('sends late what became due while the database was away', async () => {
      const { session, epoch } = await newSession();
      const { schedule, released } = gateway([{ session, epoch }], far);
      proxy.mode = 'cut';
      schedule.start();
      try {
        await add(session, Date.now() - 100);
        schedule.wakeAt(Date.now());
        await eventually(async () => (await far.ping(500).catch(() => 'away')) === 'away');
        assert.equal(released.length, 0);
        proxy.mode = 'open';
        await eventually(() => released.includes(session), 20_000);
      } finally {
        proxy.mode = 'open';
        await schedule.stop();
      }
    });

    test('takes over when the session becomes its own', async () => {
      const { session, epoch } = await newSession();
      await store.sessions.setDesired(session, 'running');
      const id = await add(session, Date.now() - 100);
      const owned: OwnedSession[] = [];
      const { schedule, released } = gateway(owned, store);
      schedule.start();
      try {
        assert.notEqual(await store.scheduled.find(session, id), null);
        owned.push({ session, epoch });
        await eventually(() => released.includes(session));
      } finally {
        await schedule.stop();
      }
    });
  });
});
