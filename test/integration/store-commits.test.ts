import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { MessageStatus, RecordItem } from '../../src/contract/ipc.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  bytes,
  contactJid,
  createOwnedSession,
  hasCode,
  messageId,
  messageRecord,
  receivedItem,
  someEvent,
  statusItem,
} from '../support/store-fixtures.ts';

let database: TestDatabase;
let store: Store;
before(async () => {
  database = await createTestDatabase();
  store = await database.openStore();
});
after(() => database.dispose());

/** What a session told, as the names that `someEvent` gave. */
async function told(session: string): Promise<readonly unknown[]> {
  const rows = await database.query(
    `select data->>'message_id' as id from events where session_id = $1 order by sequence`,
    [session],
  );
  return rows.map((row) => row['id']);
}

describe('the fence', () => {
  test('writes with an old epoch are refused, whatever they are, and change nothing', async () => {
    const { session, epoch: old } = await createOwnedSession(store, 'fence');
    const epoch = (await store.sessions.takeEpoch(session)) ?? 0;
    assert.equal(epoch, old + 1);
    const stale = { session, epoch: old };
    await assert.rejects(
      store.commits.setKeys({ ...stale, mutations: { session: { a: bytes(9) } }, creds: bytes(9) }),
      hasCode('fenced'),
    );
    await assert.rejects(store.commits.record({ ...stale, items: [receivedItem('STALE')] }), hasCode('fenced'));
    await assert.rejects(store.commits.sending({ ...stale, record: messageRecord('STALE') }), hasCode('fenced'));
    await assert.rejects(store.commits.clearCredentials(stale), hasCode('fenced'));
    assert.deepEqual(await store.credentials.load(session), { creds: null, inbox: [] });
    assert.equal(await store.messages.get(session, 'STALE'), null);
    await store.commits.setKeys({ session, epoch, mutations: { session: { a: bytes(1) } }, creds: null });
    assert.deepEqual(Object.keys(await store.credentials.getKeys(session, 'session', ['a', 'b'])), ['a']);
  });

  test('a fenced child does not hold up its neighbours in the same commit', async () => {
    const [a, b] = [await createOwnedSession(store, 'near-a'), await createOwnedSession(store, 'near-b')];
    await store.sessions.takeEpoch(a.session);
    const results = await Promise.allSettled([
      store.commits.record({ ...a, items: [receivedItem('A1')] }),
      store.commits.record({ ...b, items: [receivedItem('B1')] }),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['rejected', 'fulfilled'],
    );
    assert.deepEqual(await told(b.session), ['B1']);
  });

  test('a deleted session fences its child and tells the supervisor that it is gone', async () => {
    const owned = await createOwnedSession(store, 'deleted');
    await store.sessions.delete(owned.session);
    await assert.rejects(store.commits.record({ ...owned, items: [] }), hasCode('fenced'));
    await assert.rejects(store.commits.emit(owned.session, someEvent('X'), 1), hasCode('session_not_found'));
  });
});

describe('group commit', () => {
  test('hundreds of concurrent writes of many sessions are all kept, numbered without gaps, in few commits', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 20 }, (_, index) => createOwnedSession(store, `many-${index}`)),
    );
    const before = await committedTransactions();
    await Promise.all(
      sessions.flatMap((owned) =>
        Array.from({ length: 25 }, (_, index) =>
          store.commits.record({ ...owned, items: [receivedItem(`M${String(index).padStart(3, '0')}`)] }),
        ),
      ),
    );
    const commits = (await committedTransactions()) - before;
    assert.ok(commits < 60, `${commits} transactions for 500 writes`);
    for (const { session } of sessions) {
      const rows = await database.query('select sequence from events where session_id = $1 order by sequence', [
        session,
      ]);
      assert.deepEqual(
        rows.map((row) => Number(row['sequence'])),
        Array.from({ length: 25 }, (_, index) => index + 1),
      );
      assert.deepEqual(
        await told(session),
        (await told(session)).toSorted((a, b) => String(a).localeCompare(String(b))),
      );
    }
  });

  test('a write that the database refuses fails alone; those around it are committed', async () => {
    const owned = await createOwnedSession(store, 'poison');
    const neighbour = await createOwnedSession(store, 'poison-near');
    const results = await Promise.allSettled([
      store.commits.record({ ...neighbour, items: [receivedItem('N1')] }),
      store.commits.setKeys({ ...owned, mutations: { 'bad\u0000type': { a: bytes(1) } }, creds: null }),
      store.commits.setKeys({ ...owned, mutations: { session: { a: bytes(7) } }, creds: bytes(8) }),
      store.commits.record({ ...neighbour, items: [receivedItem('N2')] }),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
    assert.deepEqual(await told(neighbour.session), ['N1', 'N2']);
    assert.deepEqual((await store.credentials.load(owned.session)).creds?.at(0), 8);
  });

  test('an error that reaches the log repeats no value of the refused statement', async () => {
    const owned = await createOwnedSession(store, 'silent');
    const secret = 'private words';
    const error = await store.commits
      .setKeys({ ...owned, mutations: { [`${secret}\u0000`]: { a: bytes(1) } }, creds: null })
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    assert.ok(error instanceof Error);
    assert.ok(!JSON.stringify(error).includes(secret));
    assert.ok(!`${error.message}${error.stack ?? ''}`.includes(secret));
    assert.equal(error.cause, undefined);
  });

  test('drain waits for what was handed over', async () => {
    const owned = await createOwnedSession(store, 'drained');
    const write = store.commits.record({ ...owned, items: [receivedItem('D1')] });
    await store.commits.drain();
    assert.deepEqual(await told(owned.session), ['D1']);
    await write;
  });
});

async function committedTransactions(): Promise<number> {
  const rows = await database.query(`select count(distinct xmin::text) as n from events`);
  return Number(rows[0]?.['n'] ?? 0);
}

describe('signal keys and credentials', () => {
  test('the last write of a key counts, null deletes it, and what is not named stays', async () => {
    const owned = await createOwnedSession(store, 'keys');
    await Promise.all([
      store.commits.setKeys({ ...owned, mutations: { session: { a: bytes(1), b: bytes(1) } }, creds: bytes(1) }),
      store.commits.setKeys({
        ...owned,
        mutations: { session: { a: bytes(2), b: null }, other: { a: bytes(3) } },
        creds: null,
      }),
    ]);
    const keys = await store.credentials.getKeys(owned.session, 'session', ['a', 'b', 'c']);
    assert.deepEqual(
      Object.entries(keys).map(([id, value]) => [id, [...value]]),
      [['a', [2]]],
    );
    assert.deepEqual([...((await store.credentials.load(owned.session)).creds ?? [])], [1]);
  });

  test('a first pairing stores 812 pre-keys at once', async () => {
    const owned = await createOwnedSession(store, 'prekeys');
    const ids = Array.from({ length: 812 }, (_, index) => String(index + 1));
    const values = Object.fromEntries(ids.map((id) => [id, new Uint8Array(300).fill(Number(id) % 256)]));
    await store.commits.setKeys({ ...owned, mutations: { 'pre-key': values }, creds: null });
    const loaded = await store.credentials.getKeys(owned.session, 'pre-key', ids);
    assert.equal(Object.keys(loaded).length, 812);
    assert.equal(loaded['700']?.[299], 700 % 256);
  });

  test('clearing ends the pairing but keeps messages that wait to be recorded', async () => {
    const owned = await createOwnedSession(store, 'cleared');
    await store.commits.setKeys({
      ...owned,
      mutations: { session: { a: bytes(1) }, inbox: { later: bytes(5) } },
      creds: bytes(1),
    });
    await store.commits.clearCredentials(owned);
    const loaded = await store.credentials.load(owned.session);
    assert.equal(loaded.creds, null);
    assert.deepEqual(
      loaded.inbox.map((entry) => entry.id),
      ['later'],
    );
    assert.deepEqual(await store.credentials.getKeys(owned.session, 'session', ['a']), {});
  });

  test('an inbox entry disappears in the same commit that records its message, in the order they came', async () => {
    const owned = await createOwnedSession(store, 'inbox');
    const inbox = { z: bytes(1), a: bytes(2), m: bytes(3) };
    for (const [id, value] of Object.entries(inbox)) {
      await store.commits.setKeys({ ...owned, mutations: { inbox: { [id]: value } }, creds: null });
    }
    assert.deepEqual(
      (await store.credentials.load(owned.session)).inbox.map((entry) => entry.id),
      ['z', 'a', 'm'],
    );
    await assert.rejects(
      store.commits.record({
        session: owned.session,
        epoch: owned.epoch - 1,
        items: [receivedItem('I0', { inboxId: 'z' })],
      }),
      hasCode('fenced'),
    );
    await store.commits.record({
      ...owned,
      items: [receivedItem('I1', { inboxId: 'z' }), { tag: 'inbox_settled', inboxId: 'm' }],
    });
    assert.deepEqual(
      (await store.credentials.load(owned.session)).inbox.map((entry) => entry.id),
      ['a'],
    );
    // Known already, for instance because the child died after the commit: nothing is told again, but it is settled.
    await store.commits.record({ ...owned, items: [receivedItem('I1', { inboxId: 'a' })] });
    assert.deepEqual((await store.credentials.load(owned.session)).inbox, []);
    assert.deepEqual(await told(owned.session), ['I1']);
  });
});

describe('messages', () => {
  test('a message that comes twice is kept and told once; the same id from another sender is another message', async () => {
    const owned = await createOwnedSession(store, 'twice');
    const other = '15550100003@s.whatsapp.net';
    await Promise.all([
      store.commits.record({ ...owned, items: [receivedItem('SAME'), receivedItem('SAME')] }),
      store.commits.record({ ...owned, items: [receivedItem('SAME')] }),
    ]);
    await store.commits.record({ ...owned, items: [receivedItem('SAME'), receivedItem('NEW')] });
    await store.commits.record({ ...owned, items: [receivedItem('SAME', { record: { sender: other } })] });
    assert.deepEqual(await told(owned.session), ['SAME', 'NEW', 'SAME']);
  });

  test('what the account wrote through us is known when WhatsApp echoes it', async () => {
    const owned = await createOwnedSession(store, 'echo');
    await accept(owned.session, '3EB0E001');
    const record = { fromMe: true, sender: '15550100001@s.whatsapp.net' };
    await store.commits.record({
      ...owned,
      items: [receivedItem('3EB0E001', { record }), receivedItem('PHONE1', { record })],
    });
    assert.deepEqual(await told(owned.session), ['PHONE1']);
    assert.equal((await store.messages.get(owned.session, '3EB0E001'))?.status, 'accepted');
    assert.equal((await store.messages.get(owned.session, 'PHONE1'))?.status, 'sent');
  });

  test('text that the database cannot hold is kept with replacement characters', async () => {
    const owned = await createOwnedSession(store, 'odd-text');
    const record = { body: 'a\u0000b\ud800c \u{1F600}', sender: 'x\u0000@lid' };
    await store.commits.record({ ...owned, items: [receivedItem('ODD', { record }), receivedItem('ODD', { record })] });
    const rows = await database.query('select body from messages where session_id = $1', [owned.session]);
    assert.deepEqual(rows, [{ body: 'a\uFFFDb\uFFFDc \u{1F600}' }]);
    assert.deepEqual(await told(owned.session), ['ODD']);
  });

  test('what is about to be sent replaces the recipient that was asked for and can be read back for a retry', async () => {
    const owned = await createOwnedSession(store, 'sending');
    await accept(owned.session, '3EB0F001');
    const record = messageRecord('3EB0F001', { chat: '15550100009@lid', fromMe: true, proto: bytes(7), key: bytes(8) });
    await Promise.all([store.commits.sending({ ...owned, record }), store.commits.sending({ ...owned, record })]);
    const stored = await store.messages.get(owned.session, '3EB0F001');
    assert.equal(stored?.chat, '15550100009@lid');
    assert.deepEqual([...(stored?.proto ?? [])], [7]);
    assert.equal(stored?.status, 'accepted');
    assert.equal((await store.messages.listAccepted(owned.session)).length, 1);
  });
});

describe('the status of a message', () => {
  test('only moves forwards, and only a change is told', async () => {
    const owned = await createOwnedSession(store, 'forwards');
    await accept(owned.session, '3EB0C001');
    const record = (...items: readonly RecordItem[]) => store.commits.record({ ...owned, items });
    await record(statusItem(['3EB0C001'], 'sent', 1_000));
    await record(statusItem(['3EB0C001'], 'read', 3_000));
    await record(statusItem(['3EB0C001'], 'delivered', 2_000));
    await record(statusItem(['3EB0C001'], 'read', 4_000), statusItem(['3EB0C001'], 'failed', 5_000));
    await record(statusItem(['3EB0C001'], 'played', 6_000));
    assert.deepEqual(await told(owned.session), ['sent:3EB0C001', 'read:3EB0C001', 'played:3EB0C001']);
    const rows = await database.query(
      `select status, extract(epoch from sent_at)::int as sent, delivered_at, extract(epoch from read_at)::int as read
       from messages where session_id = $1`,
      [owned.session],
    );
    assert.deepEqual(rows, [{ status: 'played', sent: 1, delivered_at: null, read: 3 }]);
  });

  test('failed is final', async () => {
    const owned = await createOwnedSession(store, 'final');
    await accept(owned.session, '3EB0C002');
    for (const status of ['failed', 'sent', 'delivered', 'failed'] as const) {
      await store.commits.record({ ...owned, items: [statusItem(['3EB0C002'], status)] });
    }
    assert.deepEqual(await told(owned.session), ['failed:3EB0C002']);
    const status: MessageStatus | undefined = (await store.messages.get(owned.session, '3EB0C002'))?.status;
    assert.equal(status, 'failed');
  });

  test('a receipt for several messages is told when it changes one of them', async () => {
    const owned = await createOwnedSession(store, 'several');
    for (const id of ['3EB0C003', '3EB0C004']) await accept(owned.session, id);
    await store.commits.record({ ...owned, items: [statusItem(['3EB0C003'], 'read')] });
    await store.commits.record({ ...owned, items: [statusItem(['3EB0C003', '3EB0C004'], 'read')] });
    await store.commits.record({ ...owned, items: [statusItem(['3EB0C003', '3EB0C004'], 'read')] });
    assert.deepEqual(await told(owned.session), ['read:3EB0C003', 'read:3EB0C003+3EB0C004']);
  });

  test('a receipt for a message that only the phone knows is told, its acknowledgement is not', async () => {
    const owned = await createOwnedSession(store, 'unknown');
    await store.commits.record({
      ...owned,
      items: [statusItem(['PHONE9'], 'sent'), statusItem(['PHONE9'], 'delivered'), statusItem(['PHONE9'], 'failed')],
    });
    assert.deepEqual(await told(owned.session), ['delivered:PHONE9']);
  });

  test("a contact's message with the same id is not touched", async () => {
    const owned = await createOwnedSession(store, 'not-mine');
    await store.commits.record({ ...owned, items: [receivedItem('3EB0C005')] });
    await accept(owned.session, '3EB0C005');
    await store.commits.record({ ...owned, items: [statusItem(['3EB0C005'], 'sent')] });
    const rows = await database.query('select from_me, status from messages where session_id = $1 order by from_me', [
      owned.session,
    ]);
    assert.deepEqual(rows, [
      { from_me: false, status: 'delivered' },
      { from_me: true, status: 'sent' },
    ]);
  });
});

async function accept(session: Parameters<Store['messages']['accept']>[0]['session'], id: string): Promise<void> {
  await store.messages.accept({
    session,
    id: messageId(id),
    operation: 'sendText',
    params: {},
    chat: contactJid,
    acceptedAt: 1_700_000_000_000,
    expiresAt: 1_700_000_600_000,
    media: null,
  });
}
