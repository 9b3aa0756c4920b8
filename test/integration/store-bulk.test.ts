import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bulkEvent } from '../../src/bulk/bulk-event.ts';
import type { SessionId } from '../../src/contract/ids.ts';
import type { BulkCounts, NewBulk } from '../../src/store/bulk-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOwnedSession, hasCode, messageId, newWebhook, statusItem } from '../support/store-fixtures.ts';

const now = 1_767_225_600_000;
const leaseMs = 60_000;

describe('bulks in the store', () => {
  let database: TestDatabase;
  let store: Store;

  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
  });

  after(() => database.dispose());

  const chatOf = (n: number) => `1555${String(n).padStart(7, '0')}@s.whatsapp.net`;

  async function createBulk(session: SessionId, id: string, size: number) {
    const bulk: NewBulk = {
      id,
      session,
      name: null,
      operation: 'sendText',
      params: { text: 'Hi {{n}}' },
      prepared: null,
      mediaUntil: null,
      intervalMs: 0,
      jitterMs: 0,
      ttlMs: 60_000,
      startAt: now,
      createdAt: now,
    };
    const recipients = Array.from({ length: size }, (_, n) => ({
      chat: chatOf(n),
      variables: { n: String(n) },
      isDuplicate: false,
    }));
    await store.bulks.create(bulk, recipients);
    return bulk;
  }

  const send = (session: SessionId, id: string, chat: string) => ({
    session,
    id: messageId(id),
    operation: 'sendText',
    params: { to: chat, text: 'Hi' },
    chat,
    acceptedAt: now,
    expiresAt: now + 60_000,
    media: null,
  });
  const countsOf = async (bulk: NewBulk): Promise<BulkCounts> => {
    const [counts] = await store.bulks.countAll([bulk], now);
    assert.ok(counts !== undefined);
    return counts;
  };

  test('keep ten thousand recipients in their order and give them out in pages', async () => {
    const { session } = await createOwnedSession(store, 'many');
    const bulk = await createBulk(session, 'bulk_many', 10_000);
    const first = await store.bulks.listQueued(bulk.id, -1, 3);
    assert.deepEqual(
      first.map(({ position, variables }) => [position, variables['n']]),
      [
        [0, '0'],
        [1, '1'],
        [2, '2'],
      ],
    );
    assert.equal((await store.bulks.listQueued(bulk.id, 9_998, 10)).length, 1);
    assert.equal((await countsOf(bulk)).queued, 10_000);
    const page = await store.bulks.listRecipients(bulk, { limit: 200, cursor: null, state: 'queued' });
    assert.equal(page.total, 10_000);
    const next = await store.bulks.listRecipients(bulk, { limit: 200, cursor: page.nextCursor, state: null });
    assert.equal(next.rows[0]?.position, 200);
    await assert.rejects(
      store.bulks.listRecipients(bulk, { limit: 1, cursor: 'nonsense', state: null }),
      hasCode('invalid_request'),
    );
  });

  test('belong to one owner at a time, and to the next when the lease has ended', async () => {
    const { session } = await createOwnedSession(store, 'leased');
    const { id } = await createBulk(session, 'bulk_leased', 1);
    assert.ok((await store.bulks.listUnowned(now)).some((each) => each.id === id));
    assert.ok((await store.bulks.hold({ id, owner: 'one', leaseMs })) !== null);
    assert.ok((await store.bulks.hold({ id, owner: 'one', leaseMs })) !== null);
    assert.equal(await store.bulks.hold({ id, owner: 'two', leaseMs }), null);
    assert.equal(
      (await store.bulks.listUnowned(now)).some((each) => each.id === id),
      false,
    );
    await store.bulks.release({ id, owner: 'two' });
    assert.equal(await store.bulks.hold({ id, owner: 'two', leaseMs }), null);
    await store.bulks.release({ id, owner: 'one' });
    assert.ok((await store.bulks.hold({ id, owner: 'two', leaseMs })) !== null);
    await database.query("update bulks set lease_until = now() - interval '1 second' where id = $1", [id]);
    assert.ok((await store.bulks.hold({ id, owner: 'one', leaseMs })) !== null);
  });

  test('accept each recipient once, and only for their owner', async () => {
    const { session } = await createOwnedSession(store, 'once');
    const { id } = await createBulk(session, 'bulk_once', 2);
    const chat = chatOf(0);
    assert.equal(await store.bulks.accept({ id, owner: 'one' }, 0, send(session, '3EB0AA01', chat)), false);
    await store.bulks.hold({ id, owner: 'one', leaseMs });
    assert.equal(await store.bulks.accept({ id, owner: 'two' }, 0, send(session, '3EB0AA02', chat)), false);
    const both = await Promise.all(
      ['3EB0AA03', '3EB0AA04'].map((message) =>
        store.bulks.accept({ id, owner: 'one' }, 0, send(session, message, chat)),
      ),
    );
    assert.equal(both.filter(Boolean).length, 1);
    assert.equal((await store.messages.listAccepted(session)).length, 1);
    assert.deepEqual(
      (await store.bulks.listQueued(id, -1, 10)).map(({ position }) => position),
      [1],
    );
    await store.bulks.setStatus(id, 'paused', 'A test says so.');
    assert.equal(await store.bulks.accept({ id, owner: 'one' }, 1, send(session, '3EB0AA05', chat)), false);
  });

  test('show how far each message has come', async () => {
    const { session, epoch } = await createOwnedSession(store, 'states');
    const bulk = await createBulk(session, 'bulk_states', 6);
    const { id } = bulk;
    await store.bulks.hold({ id, owner: 'one', leaseMs });
    const ids = ['3EB0BB00', '3EB0BB01', '3EB0BB02', '3EB0BB03', '3EB0BB04'];
    for (const [position, message] of ids.entries()) {
      await store.bulks.accept({ id, owner: 'one' }, position, send(session, message, chatOf(position)));
    }
    await store.commits.record({
      session,
      epoch,
      items: [
        statusItem(['3EB0BB01', '3EB0BB02', '3EB0BB03'], 'sent'),
        statusItem(['3EB0BB02'], 'delivered'),
        statusItem(['3EB0BB03'], 'played'),
      ],
    });
    await store.messages.fail(session, '3EB0BB04', { at: now, errorCode: 'recipient_not_on_whatsapp', event: null });
    const { rows } = await store.bulks.listRecipients(bulk, { limit: 10, cursor: null, state: null });
    assert.deepEqual(
      rows.map(({ state }) => state),
      ['sending', 'sent', 'delivered', 'read', 'failed', 'queued'],
    );
    assert.equal(rows[4]?.code, 'recipient_not_on_whatsapp');
    assert.equal(rows[1]?.messageId, '3EB0BB01');
    const failed = await store.bulks.listRecipients(bulk, { limit: 10, cursor: null, state: 'failed' });
    assert.deepEqual([failed.total, failed.rows[0]?.position], [1, 4]);
    const { queued, sending, sent, delivered, read, failed: lost, lastMinute } = await countsOf(bulk);
    assert.deepEqual([queued, sending, sent, delivered, read, lost, lastMinute], [1, 1, 1, 1, 1, 1, 5]);
  });

  test('end once, with one event of the final counts', async () => {
    const { session } = await createOwnedSession(store, 'ends', newWebhook('wh_ends'));
    const bulk = await createBulk(session, 'bulk_ends', 3);
    const { id } = bulk;
    const event = (counts: BulkCounts) => bulkEvent('bulk_finished', { ...bulk, status: 'cancelled' }, counts);
    const ends = await Promise.all([store.bulks.cancel(id, now, event), store.bulks.cancel(id, now, event)]);
    assert.equal(ends.filter(Boolean).length, 1);
    assert.equal((await countsOf(bulk)).cancelled, 3);
    assert.equal(await store.bulks.setStatus(id, 'running', 'No.'), false);
    assert.equal(await store.bulks.hold({ id, owner: 'one', leaseMs }), null);
    const told = await database.query("select data from events where name = 'bulk_finished' and session_id = $1", [
      session,
    ]);
    assert.equal(told.length, 1);
    assert.equal((await store.bulks.get(session, id))?.finishedAt, now);
    await store.bulks.prune(now + 1);
    assert.equal(await store.bulks.get(session, id), null);
  });

  test('of a session go with it, and are of no other session', async () => {
    const { session } = await createOwnedSession(store, 'gone');
    const { session: other } = await createOwnedSession(store, 'other');
    const { id } = await createBulk(session, 'bulk_gone', 2);
    assert.equal(await store.bulks.get(other, id), null);
    await createBulk(session, 'bulk_gone2', 1);
    const page = await store.bulks.list(session, { limit: 1, cursor: null });
    assert.deepEqual([page.total, page.rows[0]?.id], [2, 'bulk_gone2']);
    const next = await store.bulks.list(session, { limit: 1, cursor: page.nextCursor });
    assert.deepEqual([next.rows[0]?.id, next.nextCursor], [id, null]);
    await store.sessions.delete(session);
    assert.equal((await database.query('select from bulk_recipients where bulk_id = $1', [id])).length, 0);
    await assert.rejects(createBulk(session, 'bulk_late', 1), hasCode('session_not_found'));
  });
});
