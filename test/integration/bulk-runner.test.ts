import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { BulkRunner } from '../../src/bulk/bulk-runner.ts';
import type { SessionId } from '../../src/contract/ids.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { logger } from '../../src/log.ts';
import { pacingSettings } from '../../src/pacing-settings.ts';
import type { AcceptedSend, Store } from '../../src/store/store.ts';
import { Governors } from '../../src/supervisor/governors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createOwnedSession, messageId, statusItem } from '../support/store-fixtures.ts';

describe('two gateways on one database', () => {
  let database: TestDatabase;
  let store: Store;
  const sent: { readonly gateway: string; readonly accepted: AcceptedSend }[] = [];
  const connected = new Set(['one', 'two']);

  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
  });

  after(() => database.dispose());

  /** A gateway whose sends are acknowledged at once. */
  async function gateway(name: string, epoch: number): Promise<BulkRunner> {
    const own = await database.openStore();
    const settings = pacingSettings(readConfig({ PACING_ENABLED: 'false' }, { dotEnvPath: null }));
    const log = logger('test');
    return new BulkRunner({
      store: own,
      supervisor: {
        view: () => ({ status: connected.has(name) ? 'connected' : 'connecting', statusReason: 'A test says so.' }),
        send: async (accepted) => {
          sent.push({ gateway: name, accepted });
          const { session, id, chat } = accepted;
          await own.commits.record({ session, epoch, items: [statusItem([id], 'sent', Date.now())] });
          return { to: chat, status: 'sent', at: Date.now() };
        },
      },
      pacing: new Governors({ store: own, settings, clock: systemClock, log }),
      newMessageId: () => messageId(`3EB0${randomBytes(9).toString('hex').toUpperCase()}`),
      clock: systemClock,
      random: Math.random,
      log,
    });
  }

  async function createBulk(session: SessionId, id: string, size: number) {
    const now = Date.now();
    const bulk = {
      id,
      session,
      name: null,
      operation: 'sendText',
      params: { text: 'Hi' },
      prepared: null,
      mediaUntil: null,
      intervalMs: 5,
      jitterMs: 5,
      ttlMs: 60_000,
      startAt: now,
      createdAt: now,
    };
    const recipients = Array.from({ length: size }, (_, n) => ({
      chat: `${15_550_400_000 + n}@s.whatsapp.net`,
      variables: {},
      isDuplicate: false,
    }));
    await store.bulks.create(bulk, recipients);
  }

  const chatsOf = (session: SessionId) =>
    sent.filter(({ accepted }) => accepted.session === session).map(({ accepted }) => accepted.chat);

  test('send each message of a bulk once, and the one that stays goes on when the other stops', async () => {
    const { session, epoch } = await createOwnedSession(store, 'shared');
    await createBulk(session, 'bulk_shared', 120);
    const [one, two] = await Promise.all([gateway('one', epoch), gateway('two', epoch)]);
    one.start();
    two.start();
    await eventually(() => chatsOf(session).length >= 20);
    const worker = sent[0]?.gateway;
    assert.equal(new Set(sent.map((each) => each.gateway)).size, 1, 'one gateway works on it');
    await (worker === 'one' ? one : two).stop();
    const done = () => store.bulks.get(session, 'bulk_shared');
    await eventually(async () => (await done())?.status === 'finished', 30_000, done);
    const chats = chatsOf(session);
    assert.deepEqual([chats.length, new Set(chats).size], [120, 120]);
    assert.equal(new Set(sent.map((each) => each.gateway)).size, 2);
    await (worker === 'one' ? two : one).stop();
  });

  test('leave a bulk to the one that has the session connected', async () => {
    const { session, epoch } = await createOwnedSession(store, 'elsewhere');
    connected.delete('one');
    await createBulk(session, 'bulk_elsewhere', 10);
    const [one, two] = await Promise.all([gateway('one', epoch), gateway('two', epoch)]);
    one.start();
    two.start();
    const done = () => store.bulks.get(session, 'bulk_elsewhere');
    await eventually(async () => (await done())?.status === 'finished', 30_000, done);
    const workers = new Set(sent.filter(({ accepted }) => accepted.session === session).map((each) => each.gateway));
    assert.deepEqual([...workers], ['two']);
    await Promise.all([one.stop(), two.stop()]);
    connected.add('one');
  });
});
