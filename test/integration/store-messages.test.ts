import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RecordItem } from '../../src/contract/ipc.ts';
import type { SessionId } from '../../src/contract/ids.ts';
import type { MessageFilter, PageRequest, Store } from '../../src/store/store.ts';
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
} from '../support/store-fixtures.ts';

const ownJid = '15550100001@s.whatsapp.net';
const groupJid = '120363000000000001@g.us';
const everything: MessageFilter & PageRequest = { chat: null, direction: null, search: null, limit: 50, cursor: null };

describe('messages in the store', () => {
  let database: TestDatabase;
  let store: Store;
  let counter = 0;

  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
  });

  after(() => database.dispose());

  const newSession = () => createOwnedSession(store, `messages-${++counter}`);

  const eventsOf = async (session: SessionId) =>
    (await database.query('select data from events where session_id = $1 order by sequence', [session])).map(
      ({ data }) => (typeof data === 'object' && data !== null && 'message_id' in data ? data.message_id : null),
    );

  type Change = Extract<RecordItem, { tag: 'change' }>;
  const change = (patch: Partial<Change> & Pick<Change, 'targetId' | 'changeId'>): Change => ({
    tag: 'change',
    change: 'edited',
    scope: 'everyone',
    chat: contactJid,
    by: contactJid,
    byLid: null,
    at: 1_700_000_005_000,
    proto: bytes(9),
    body: 'new text',
    event: someEvent(`change:${patch.changeId}`),
    inboxId: null,
    ...patch,
  });

  test('an edit changes what is answered for the message, and is told once', async () => {
    const { session, epoch } = await newSession();
    await store.commits.record({ session, epoch, items: [receivedItem('A1')] });
    const edit = change({ targetId: 'A1', changeId: 'E1' });
    await store.commits.record({ session, epoch, items: [edit] });
    await store.commits.record({ session, epoch, items: [{ ...edit, body: 'again' }] });
    const found = await store.messages.find(session, 'A1');
    assert.equal(found?.body, 'new text');
    assert.equal(found.editedAt, 1_700_000_005_000);
    assert.deepEqual([...((await store.messages.get(session, 'A1'))?.proto ?? [])], [9]);
    assert.deepEqual(await eventsOf(session), ['A1', 'change:E1']);
  });

  test('a deletion leaves nothing of the message behind, and no edit brings it back', async () => {
    const { session, epoch } = await newSession();
    await store.commits.record({ session, epoch, items: [receivedItem('A1')] });
    const deletion = change({ targetId: 'A1', changeId: 'D1', change: 'deleted', proto: null, body: null });
    await store.commits.record({ session, epoch, items: [deletion, change({ targetId: 'A1', changeId: 'E1' })] });
    const kept = await store.messages.get(session, 'A1');
    assert.equal(kept?.proto, null);
    assert.equal(kept.isDeleted, true);
    assert.equal((await store.messages.find(session, 'A1'))?.body, null);
  });

  test('nobody changes what somebody else has written', async () => {
    const { session, epoch } = await newSession();
    const own = receivedItem('A1', { record: { fromMe: true, sender: ownJid } });
    await store.commits.record({ session, epoch, items: [own] });
    const items = [
      change({ targetId: 'A1', changeId: 'E1' }),
      change({ targetId: 'A1', changeId: 'D1', change: 'deleted', proto: null, body: null }),
    ];
    await store.commits.record({ session, epoch, items });
    assert.equal((await store.messages.find(session, 'A1'))?.body, 'body of A1');
    assert.deepEqual(await eventsOf(session), ['A1']);
  });

  test('admins delete what others wrote in their group, and do not edit it', async () => {
    const { session, epoch } = await newSession();
    const record = { chat: groupJid, sender: '15550100009@s.whatsapp.net' };
    await store.commits.record({
      session,
      epoch,
      items: [receivedItem('A1', { record }), receivedItem('A2', { record })],
    });
    const items = [
      change({ targetId: 'A1', changeId: 'E1', chat: groupJid }),
      change({ targetId: 'A2', changeId: 'D2', chat: groupJid, change: 'deleted', proto: null, body: null }),
    ];
    await store.commits.record({ session, epoch, items });
    assert.equal((await store.messages.find(session, 'A1'))?.editedAt, null);
    assert.notEqual((await store.messages.find(session, 'A2'))?.deletedAt, null);
  });

  test('an author is known by the LID as well', async () => {
    const { session, epoch } = await newSession();
    const lid = '100000000000009@lid';
    await store.commits.record({
      session,
      epoch,
      items: [
        receivedItem('A1', { record: { chat: lid, sender: lid } }),
        change({ targetId: 'A1', changeId: 'E1', byLid: lid }),
      ],
    });
    assert.equal((await store.messages.find(session, 'A1'))?.body, 'new text');
  });

  test('a change that comes before its message is made when the message comes', async () => {
    const { session, epoch } = await newSession();
    await store.commits.record({ session, epoch, items: [change({ targetId: 'A1', changeId: 'E1' })] });
    await store.commits.record({ session, epoch, items: [receivedItem('A1')] });
    assert.equal((await store.messages.find(session, 'A1'))?.body, 'new text');
    assert.deepEqual(await eventsOf(session), ['change:E1', 'A1']);
  });

  test('an event with an id is told once, also within one batch', async () => {
    const { session, epoch } = await newSession();
    const event: RecordItem = { tag: 'event', event: someEvent('once'), at: 1, onceId: 'reaction:1' };
    await store.commits.record({ session, epoch, items: [event, { ...event }] });
    await store.commits.record({ session, epoch, items: [event] });
    assert.deepEqual(await eventsOf(session), ['once']);
  });

  test('pages of messages are newest first and complete, with filters', async () => {
    const { session, epoch } = await newSession();
    const items = Array.from({ length: 7 }, (_, n) =>
      receivedItem(`M${n}`, {
        record: { timestamp: 1_700_000_000_000 + Math.floor(n / 2) * 1000, body: `100% number ${n}` },
      }),
    );
    const other = receivedItem('OTHER', { record: { chat: groupJid, fromMe: true, sender: ownJid, timestamp: 1 } });
    await store.commits.record({ session, epoch, items: [...items, other] });
    const seen: string[] = [];
    for (let cursor: string | null = null, n = 0; n < 10; n++) {
      const page = await store.messages.list(session, { ...everything, limit: 3, cursor });
      assert.equal(page.total, 8);
      seen.push(...page.rows.map(({ id }) => id));
      cursor = page.nextCursor;
      if (cursor === null) break;
    }
    assert.deepEqual(seen, ['M6', 'M5', 'M4', 'M3', 'M2', 'M1', 'M0', 'OTHER']);
    const idsOf = async (patch: Partial<MessageFilter>) =>
      (await store.messages.list(session, { ...everything, ...patch })).rows.map(({ id }) => id);
    assert.deepEqual(await idsOf({ chat: [groupJid] }), ['OTHER']);
    assert.deepEqual(await idsOf({ direction: 'out' }), ['OTHER']);
    assert.deepEqual(await idsOf({ search: '% NUMBER 3' }), ['M3']);
    assert.deepEqual(await idsOf({ search: '_ number' }), []);
    await assert.rejects(
      store.messages.list(session, { ...everything, cursor: 'nonsense' }),
      hasCode('invalid_request'),
    );
  });

  test('chats come with their latest message and their size, page by page', async () => {
    const { session, epoch } = await newSession();
    const items = ['a', 'b', 'c'].flatMap((name, n) => {
      const chat = `1555010001${n}@s.whatsapp.net`;
      return [1, 2].map((k) =>
        receivedItem(`${name}${k}`, { record: { chat, sender: chat, timestamp: 1_700_000_000_000 + n * 10_000 + k } }),
      );
    });
    await store.commits.record({ session, epoch, items });
    const first = await store.messages.listChats(session, { limit: 2, cursor: null });
    assert.deepEqual(
      first.rows.map(({ lastMessage, messageCount }) => [lastMessage.id, messageCount]),
      [
        ['c2', 2],
        ['b2', 2],
      ],
    );
    assert.equal(first.total, 3);
    const second = await store.messages.listChats(session, { limit: 2, cursor: first.nextCursor });
    assert.deepEqual(
      second.rows.map(({ lastMessage }) => lastMessage.id),
      ['a2'],
    );
    assert.equal(second.nextCursor, null);
  });

  test('what was asked for tells what is in a message that was sent, also of one that repeats it', async () => {
    const { session } = await newSession();
    const accept = (id: string, operation: string, params: object) =>
      store.messages.accept({
        session,
        id: messageId(id),
        operation,
        params,
        chat: contactJid,
        acceptedAt: 1_700_000_000_000,
        expiresAt: 1_700_000_100_000,
        media: null,
      });
    await accept('3EB0FEED01', 'sendPoll', { question: 'Lunch?', reply_to: 'R1' });
    await accept('3EB0FEED02', 'sendText', { text: 'x'.repeat(1000) });
    await accept('3EB0FEED03', 'forwardMessage', { message_id: '3EB0FEED01' });
    await accept('3EB0FEED04', 'reactToMessage', { message_id: 'R1', emoji: '👍' });
    await accept('3EB0FEED05', 'reactToMessage', { message_id: 'R1', emoji: '' });
    await accept('3EB0FEED06', 'reactToMessage', { message_id: 'R2', emoji: '🙏' });
    const sent = await store.messages.listSentContents(session, ['3EB0FEED01', '3EB0FEED02', '3EB0FEED03', 'R1']);
    const poll = { question: 'Lunch?', reply_to: 'R1' };
    assert.deepEqual(
      sent.toSorted((a, b) => a.id.localeCompare(b.id)),
      [
        { id: '3EB0FEED01', operation: 'sendPoll', params: poll, replyTo: 'R1', forwardOf: null },
        { id: '3EB0FEED02', operation: 'sendText', params: null, replyTo: null, forwardOf: null },
        { id: '3EB0FEED03', operation: 'sendPoll', params: poll, replyTo: null, forwardOf: '3EB0FEED01' },
      ],
    );
    const reactions = await store.messages.listOwnReactions(session, ['R1', 'R2', 'R3']);
    assert.equal(reactions.size, 2);
    assert.equal(reactions.get('R1'), '');
    assert.equal(reactions.get('R2'), '🙏');
  });

  test('the latest message of each session is found without reading the others', async () => {
    const [busy, quiet] = [await newSession(), await newSession()];
    await store.commits.record({ ...busy, items: [receivedItem('N1')] });
    const latest = await store.messages.latestOf([busy.session, quiet.session]);
    assert.deepEqual([...latest.keys()], [busy.session]);
    assert.ok((latest.get(busy.session) ?? 0) > 1_600_000_000_000);
  });

  test('the lists stay quick with a hundred thousand messages', async () => {
    const { session } = await newSession();
    await database.query(
      `insert into messages (session_id, id, chat, sender, from_me, type, body, at, status)
       select $1, 'L' || n, (15550000000 + n % 500) || '@s.whatsapp.net', (15550000000 + n % 500) || '@s.whatsapp.net', false,
         'text', 'text ' || n, to_timestamp(1700000000 + n), 'delivered' from generate_series(1, 100000) n`,
      [session],
    );
    await database.query('analyze messages');
    const startedAt = performance.now();
    const chats = await store.messages.listChats(session, { limit: 50, cursor: null });
    const chatsMs = performance.now() - startedAt;
    assert.equal(chats.total, 500);
    const page = await store.messages.list(session, everything);
    const listMs = performance.now() - startedAt - chatsMs;
    assert.equal(page.total, 100_000);
    assert.equal(page.rows[0]?.id, 'L100000');
    assert.ok(chatsMs < 1_000, `chats took ${chatsMs} ms`);
    assert.ok(listMs < 1_000, `the list took ${listMs} ms`);
  });

  test('old messages are pruned in batches, and what is still to be sent stays', async () => {
    const { session, epoch } = await newSession();
    await store.commits.record({
      session,
      epoch,
      items: [
        receivedItem('OLD', { record: { timestamp: 1_000 } }),
        receivedItem('NEW', { record: { timestamp: Date.now() } }),
      ],
    });
    await store.commits.sending({ session, epoch, record: messageRecord('WAITS', { fromMe: true, timestamp: 1_000 }) });
    while (await store.messages.prune(Date.now() - 60_000));
    const left = (await store.messages.list(session, everything)).rows.map(({ id }) => id);
    assert.deepEqual(left, ['NEW', 'WAITS']);
    while (await store.messages.forget(Date.now() + 60_000));
    assert.deepEqual(await database.query('select * from told_once'), []);
  });
});
