import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SessionId } from '../../src/contract/ids.ts';
import type { LinkSnapshot, Store } from '../../src/store/store.ts';
import type { NewWebhook } from '../../src/store/webhook-records.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  bytes,
  hasCode,
  messageId,
  messageRecord,
  newWebhook,
  sessionId,
  someEvent,
} from '../support/store-fixtures.ts';

let database: TestDatabase;
let store: Store;
before(async () => {
  database = await createTestDatabase();
  store = await database.openStore();
});
after(() => database.dispose());

describe('sessions', () => {
  test('a session keeps what it was created with, and a second one of the same id is refused', async () => {
    const id = await createSession('first', { name: 'Shop \u0000 desk' });
    const row = await store.sessions.get(id);
    assert.equal(row?.name, 'Shop \uFFFD desk');
    assert.equal(row?.desired, 'stopped');
    assert.equal(row?.link.state, 'idle');
    assert.ok(Math.abs((row?.createdAt ?? 0) - Date.now()) < 60_000);
    await assert.rejects(createSession('first'), hasCode('session_exists'));
  });

  test('a session whose webhook cannot be created is not created either', async () => {
    const webhook = newWebhook('wh_taken');
    await createSession('with-webhook', { webhook });
    await assert.rejects(createSession('without-webhook', { webhook }));
    assert.equal(await store.sessions.get(sessionId('without-webhook')), null);
  });

  test('a list is walked page by page, oldest first, and a foreign cursor is refused', async () => {
    for (const name of ['page-1', 'page-2', 'page-3', 'page-4', 'page-5']) await createSession(name);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof store.sessions.list>> = await store.sessions.list({ limit: 2, cursor });
      assert.ok(page.rows.length <= 2);
      seen.push(...page.rows.map((row) => row.id));
      assert.ok(page.total >= 5);
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(
      seen.filter((id) => id.startsWith('page-')),
      ['page-1', 'page-2', 'page-3', 'page-4', 'page-5'],
    );
    for (const foreign of ['x', '../..', 'c29tZXRoaW5n', '%00']) {
      await assert.rejects(store.sessions.list({ limit: 2, cursor: foreign }), hasCode('invalid_request'));
    }
  });

  test('a change leaves what it does not name as it was', async () => {
    const id = await createSession('changed', { name: 'before' });
    assert.equal((await store.sessions.update(id, { memoryCapMb: 256 }))?.name, 'before');
    const row = await store.sessions.update(id, { name: null });
    assert.equal(row?.name, null);
    assert.equal(row?.memoryCapMb, 256);
    assert.equal(await store.sessions.update(sessionId('nobody'), { name: 'x' }), null);
  });

  test('sessions that should run are listed, most recently connected first', async () => {
    const [a, b] = [await createSession('runs-a'), await createSession('runs-b')];
    for (const id of [a, b]) await store.sessions.setDesired(id, 'running');
    await store.sessions.saveLink(link(b, { state: 'connected', isPaired: true }), 2_000_000);
    await store.sessions.saveLink(link(a, { state: 'connected', isPaired: true }), 1_000_000);
    const desired = (await store.sessions.listDesired()).map((row) => row.id);
    assert.deepEqual(desired, [b, a]);
  });

  test('a link remembers when it was paired and connected, and forgets its device when it is unlinked', async () => {
    const id = await createSession('linked');
    const device = {
      jid: '15550100001@s.whatsapp.net',
      lid: null,
      deviceId: 3,
      phoneNumber: '15550100001',
      pushName: 'Ada',
      platform: null,
      appVersion: '2.3000.1',
    };
    await store.sessions.saveLink(link(id, { state: 'connected', isPaired: true, device }), 5_000);
    await store.sessions.saveLink(link(id, { state: 'reconnecting', isPaired: true, until: 9_000 }), 6_000);
    const paired = await store.sessions.get(id);
    assert.deepEqual(paired?.device, device);
    assert.equal(paired?.linkedAt, 5_000);
    assert.equal(paired?.lastConnectedAt, 5_000);
    assert.deepEqual(paired?.link, { state: 'reconnecting', reason: 'test', until: 9_000 });
    await store.sessions.saveLink(link(id, { state: 'logged_out', isPaired: false }), 7_000);
    const unlinked = await store.sessions.get(id);
    assert.equal(unlinked?.device, null);
    assert.equal(unlinked?.linkedAt, null);
    assert.equal(unlinked?.lastConnectedAt, 5_000);
  });

  test('links that change at the same time are all saved, and those of one session in their order', async () => {
    const [a, b] = [await createSession('at-once-a'), await createSession('at-once-b')];
    await Promise.all([
      store.sessions.saveLink(link(a, { state: 'connecting', isPaired: true }), 1_000),
      store.sessions.saveLink(link(b, { state: 'connected', isPaired: true }), 2_000),
      store.sessions.saveLink(link(a, { state: 'connected', isPaired: true }), 3_000),
      store.sessions.saveLink(link(a, { state: 'reconnecting', isPaired: true }), 4_000),
    ]);
    const [first, second] = [await store.sessions.get(a), await store.sessions.get(b)];
    assert.deepEqual([first?.link.state, first?.linkedAt, first?.lastConnectedAt], ['reconnecting', 1_000, 3_000]);
    assert.deepEqual([second?.link.state, second?.lastConnectedAt], ['connected', 2_000]);
  });

  test('deleting a session deletes everything that belongs to it', async () => {
    const id = await createSession('doomed', { webhook: newWebhook('wh_doomed') });
    const epoch = (await store.sessions.takeEpoch(id)) ?? 0;
    await store.commits.setKeys({ session: id, epoch, mutations: { session: { a: bytes(1) } }, creds: bytes(2) });
    await store.commits.emit(id, { name: 'logged_out', data: { reason: 'test', code: null } }, 1_000);
    assert.equal(await store.sessions.delete(id), true);
    assert.equal(await store.sessions.delete(id), false);
    for (const table of ['signal_keys', 'credentials', 'data_keys', 'events', 'webhooks']) {
      assert.deepEqual(await database.query(`select 1 from ${table} where session_id = $1`, [id]), [], table);
    }
    assert.deepEqual(await database.query(`select 1 from deliveries where webhook_id = 'wh_doomed'`), []);
    assert.equal(await store.sessions.takeEpoch(id), null);
  });
});

describe('webhooks', () => {
  test('a url is registered once per session, and only the own session can delete it', async () => {
    const [a, b] = [await createSession('hooks-a'), await createSession('hooks-b')];
    const row = await store.webhooks.create(a, newWebhook('wh_a'));
    assert.equal(row.enabled, true);
    await assert.rejects(store.webhooks.create(a, { ...newWebhook('wh_a2'), url: row.url }), hasCode('webhook_exists'));
    await store.webhooks.create(b, { ...newWebhook('wh_b'), url: row.url });
    await assert.rejects(store.webhooks.create(sessionId('nobody'), newWebhook('wh_c')), hasCode('session_not_found'));
    assert.equal(await store.webhooks.delete(b, 'wh_a'), false);
    assert.deepEqual(
      (await store.webhooks.list(a)).map(({ webhook }) => webhook.id),
      [row.id],
    );
    assert.equal(await store.webhooks.delete(a, 'wh_a'), true);
    assert.deepEqual(await store.webhooks.list(a), []);
  });
});

describe('accepted messages', () => {
  test('an id is taken once per session, and what was accepted can be resumed in order', async () => {
    const [a, b] = [await createSession('sends-a'), await createSession('sends-b')];
    const send = (session: SessionId, id: string) => store.messages.accept(accepted(session, id));
    await send(a, '3EB0AA01');
    await send(a, '3EB0AA02');
    await send(b, '3EB0AA01');
    await assert.rejects(send(a, '3EB0AA01'), hasCode('message_id_taken'));
    await assert.rejects(send(sessionId('nobody'), '3EB0AA01'), hasCode('session_not_found'));
    assert.deepEqual(await store.messages.listAccepted(a), [accepted(a, '3EB0AA01'), accepted(a, '3EB0AA02')]);
  });

  test('failing an accepted message tells of it once, and not at all when it was sent meanwhile', async () => {
    const id = await createSession('fails');
    const epoch = (await store.sessions.takeEpoch(id)) ?? 0;
    await store.messages.accept(accepted(id, '3EB0BB01'));
    await store.messages.accept(accepted(id, '3EB0BB02'));
    const fail = (sent: string) =>
      store.messages.fail(id, sent, { at: 5_000, errorCode: 'expired', event: someEvent(sent) });
    await fail('3EB0BB01');
    await fail('3EB0BB01');
    await store.commits.record({
      session: id,
      epoch,
      items: [{ tag: 'status', ids: ['3EB0BB02'], status: 'sent', at: 4_000, errorCode: null, event: null }],
    });
    await fail('3EB0BB02');
    const rows = await database.query(`select data->>'message_id' as id from events where session_id = $1`, [id]);
    assert.deepEqual(rows, [{ id: '3EB0BB01' }]);
    assert.equal((await store.messages.get(id, '3EB0BB01'))?.status, 'failed');
    assert.equal((await store.messages.get(id, '3EB0BB01'))?.errorCode, 'expired');
    assert.equal((await store.messages.get(id, '3EB0BB02'))?.status, 'sent');
    await assert.rejects(
      store.commits.sending({
        session: id,
        epoch,
        record: messageRecord('3EB0BB01', { fromMe: true }),
      }),
      hasCode('unprocessable'),
    );
  });
});

async function createSession(
  text: string,
  options: { readonly name?: string; readonly webhook?: NewWebhook } = {},
): Promise<SessionId> {
  const id = sessionId(text);
  await store.sessions.create({
    id,
    name: options.name ?? null,
    sandbox: false,
    desired: 'stopped',
    memoryCapMb: null,
    webhook: options.webhook ?? null,
  });
  return id;
}

function link(session: SessionId, patch: Partial<LinkSnapshot>): LinkSnapshot {
  return {
    session,
    state: 'idle',
    reason: 'test',
    code: null,
    until: null,
    qr: null,
    pairCode: null,
    device: null,
    isPaired: false,
    ...patch,
  };
}

function accepted(session: SessionId, id: string) {
  return {
    session,
    id: messageId(id),
    operation: 'sendText',
    params: { to: '15550100002@s.whatsapp.net', text: 'a\u0000b' },
    chat: '15550100002@s.whatsapp.net',
    acceptedAt: 1_700_000_000_123,
    expiresAt: 1_700_000_600_456,
    media: null,
  };
}
