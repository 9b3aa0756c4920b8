import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { recipientKeyType, writeRecipient } from '../../src/contract/known-recipient.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOwnedSession, messageId, receivedItem, statusItem } from '../support/store-fixtures.ts';

const now = 1_767_225_600_000;
const [ann, bob, cid, dan] = ['15550200001', '15550200002', '15550200003', '15550200004'].map(
  (phone) => `${phone}@s.whatsapp.net`,
);

describe('what the store knows of chats that a session began', () => {
  let database: TestDatabase;
  let store: Store;

  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
  });

  after(() => database.dispose());

  test('a chat is known once somebody wrote, or once it was begun; a message that failed begins none', async () => {
    const { session, epoch } = await createOwnedSession(store, 'knows');
    assert.ok(ann !== undefined && bob !== undefined && cid !== undefined && dan !== undefined);
    await store.commits.record({
      session,
      epoch,
      items: [receivedItem('IN1', { record: { chat: ann, sender: ann } })],
    });
    const send = (id: string, chat: string) => ({
      session,
      id: messageId(id),
      operation: 'sendText',
      params: { to: chat, text: 'Hi' },
      chat,
      acceptedAt: now,
      expiresAt: now + 1000,
      media: null,
    });
    await store.messages.accept(send('3EB0CC01', bob));
    await store.messages.accept(send('3EB0CC02', cid));
    await store.messages.fail(session, '3EB0CC02', { at: now, errorCode: '463', event: null });
    assert.deepEqual([...(await store.pacing.knownChats(session, [ann, bob, cid, dan]))], [ann]);
    await store.commits.record({ session, epoch, items: [statusItem(['3EB0CC01'], 'sent')] });
    await store.pacing.openChat(session, dan, now);
    const known = await store.pacing.knownChats(session, [ann, bob, cid, dan]);
    assert.deepEqual([...known].toSorted(), [ann, bob, dan]);
    await store.pacing.closeChat(session, dan);
    assert.equal((await store.pacing.knownChats(session, [dan])).size, 0);
    assert.equal(await store.pacing.countSent(session, now - 1), 1);
    assert.equal(await store.pacing.countSent(session, now), 0);
  });

  test('a chat is known by the address that its number turned out to have', async () => {
    const { session, epoch } = await createOwnedSession(store, 'resolves');
    const typed = '5511987654321@s.whatsapp.net';
    const real = '551187654321@s.whatsapp.net';
    await store.commits.record({
      session,
      epoch,
      items: [receivedItem('IN2', { record: { chat: real, sender: real } })],
    });
    assert.equal((await store.pacing.knownChats(session, [typed])).size, 0);
    const mutations = { [recipientKeyType]: { [typed]: writeRecipient({ jid: real, lid: null }) } };
    await store.commits.setKeys({ session, epoch, mutations, creds: null });
    assert.deepEqual([...(await store.pacing.knownChats(session, [typed]))], [typed]);
  });

  test('counts the chats of a day, each from when it was first begun', async () => {
    const { session } = await createOwnedSession(store, 'counts');
    assert.ok(ann !== undefined && bob !== undefined);
    await store.pacing.openChat(session, ann, now - 5000);
    await store.pacing.openChat(session, ann, now);
    await store.pacing.openChat(session, bob, now - 1000);
    assert.deepEqual(await store.pacing.standing(session, now - 2000), { linkedAt: null, openedAt: [now - 1000] });
    assert.deepEqual((await store.pacing.standing(session, now - 9000)).openedAt, [now - 5000, now - 1000]);
  });

  test('keeps settings and back-offs with the session', async () => {
    const { session } = await createOwnedSession(store, 'keeps');
    const backoff = { newChats: { count: 2, since: now, until: now + 1000 }, slowDown: null };
    await store.pacing.saveBackoff(session, backoff);
    await store.sessions.update(session, { pacing: { burst: 3 } });
    const row = await store.sessions.update(session, { name: 'Renamed' });
    assert.deepEqual([row?.pacing, row?.pacingBackoff], [{ burst: 3 }, backoff]);
    assert.equal((await store.sessions.update(session, { pacing: null }))?.pacing, null);
  });
});
