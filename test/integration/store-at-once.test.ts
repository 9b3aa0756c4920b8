/** What commits do in one statement: the same as step by step, and nothing when the plan does not hold. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { SessionEvent } from '../../src/contract/events.ts';
import type { SessionId } from '../../src/contract/ids.ts';
import type { Origin, RecordItem } from '../../src/contract/ipc.ts';
import { logger } from '../../src/log.ts';
import { commitBatch, type Write } from '../../src/store/commit-batch.ts';
import { createCommit } from '../../src/store/commit.ts';
import { driverUrl } from '../../src/store/connection-url.ts';
import { LeaseDesk } from '../../src/store/lease-desk.ts';
import { openVault } from '../../src/store/open-vault.ts';
import { openDatabase, type Database } from '../../src/store/pool.ts';
import { credentialsPlace, signalKeyPlace, type RecordPlace } from '../../src/store/sealed-places.ts';
import type { Store } from '../../src/store/store.ts';
import type { Vault } from '../../src/store/vault.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  bytes,
  createOwnedSession,
  messageRecord,
  newWebhook,
  receivedItem,
  someEvent,
  statusItem,
} from '../support/store-fixtures.ts';
import { testKeys } from '../support/test-keys.ts';

let database: TestDatabase;
let store: Store;
let pool: Database;
let vault: Vault;
before(async () => {
  database = await createTestDatabase();
  store = await database.openStore();
  pool = await openDatabase(driverUrl(database.url), logger('test'));
  vault = await newVault();
});
beforeEach(async () => {
  await database.query('delete from sessions');
});
after(async () => {
  await pool.end();
  await database.dispose();
});

/** One that has opened nothing yet. */
const newVault = async (): Promise<Vault> => (await openVault(pool, testKeys())).vault;

/** The same sequence of choices for the same seed (mulberry32). */
function chooser(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Writes of all kinds over few ids, so that they meet each other within batches and between them. */
function randomBatches(seed: number, session: SessionId, epoch: number): readonly (readonly Write[])[] {
  const pick = chooser(seed);
  const statuses = ['sent', 'delivered', 'read', 'played'] as const;
  const id = (): string => `M${pick(9)}`;
  const body = { session, epoch };
  const origin = (): { readonly origin?: Origin } =>
    ({
      0: {
        origin: { requestId: `req_${pick(4)}`, traceparent: `00-${'7'.repeat(32)}-${'5'.repeat(15)}${pick(9)}-01` },
      },
      1: { origin: { requestId: 'what a broken child\ntells', traceparent: null } },
    })[pick(3)] ?? {};
  let time = 1_700_000_000_000;
  const item = (): RecordItem => {
    time += 1_000;
    switch (pick(8)) {
      case 0:
      case 1:
        return receivedItem(id(), { record: { fromMe: pick(3) === 0 }, inboxId: `in${pick(5)}` });
      case 2:
        return { tag: 'inbox_settled', inboxId: `in${pick(5)}` };
      case 3:
        return { tag: 'event', at: time, onceId: `once${pick(6)}`, event: someEvent(`event ${time}`), ...origin() };
      case 4:
        return { tag: 'event', at: time, event: someEvent(`always ${time}`), ...origin() };
      default: {
        const ids = Array.from({ length: 1 + pick(3) }, id);
        return { ...statusItem([...new Set(ids)], statuses[pick(4)] ?? 'sent', time), ...origin() };
      }
    }
  };
  const write = (): Write => {
    switch (pick(5)) {
      case 0: {
        const mutations = {
          session: { [`k${pick(4)}`]: pick(3) === 0 ? null : bytes(pick(250)) },
          inbox: { [`in${pick(5)}`]: bytes(1) },
        };
        return { tag: 'keys', body: { ...body, mutations, creds: pick(3) === 0 ? bytes(pick(250)) : null } };
      }
      case 1:
        return {
          tag: 'sending',
          body: { ...body, record: messageRecord(id(), { fromMe: true, body: `sent ${time}` }) },
        };
      default:
        return { tag: 'record', body: { ...body, items: Array.from({ length: 1 + pick(4) }, item) } };
    }
  };
  return Array.from({ length: 40 }, () => Array.from({ length: 1 + pick(3) }, write));
}

/** All that the writes of a session can change, without what is chosen by the database or the clock. */
async function stateOf(session: string): Promise<unknown> {
  const rows = (text: string) => database.query(text, [session]);
  const opened = await newVault();
  const openRows = async (text: string, placeOf: (row: Readonly<Record<string, unknown>>) => RecordPlace) => {
    const found = await rows(text);
    return pool.run((connection) =>
      Promise.all(
        found.map(async ({ value, ...row }) => {
          assert.ok(value instanceof Uint8Array && value.length > 30, 'it lies in plain text');
          return { ...row, value: await opened.open(connection, [{ place: placeOf(row), sealed: value }]) };
        }),
      ),
    );
  };
  return {
    messages: await rows(`
      select id, chat, sender, from_me, type, body, proto, key, at, status, error_code, sent_at, delivered_at, read_at, played_at
      from messages where session_id = $1 order by id, from_me, chat, sender`),
    events: await rows(
      `select sequence, name, at, data, request_id, traceparent from events where session_id = $1 order by sequence`,
    ),
    told: await rows(`select id from told_once where session_id = $1 order by id`),
    keys: await openRows(
      `select type, id, is_sealed, value from signal_keys where session_id = $1 order by type, id`,
      ({ type, id }) => signalKeyPlace(session, String(type), String(id)),
    ),
    credentials: await openRows(`select is_sealed, value from credentials where session_id = $1`, () =>
      credentialsPlace(session),
    ),
    deliveries: await rows(`
      select d.sequence, right(d.webhook_id, 3) as webhook, d.lane, d.status from deliveries d
      join webhooks w on w.id = d.webhook_id where w.session_id = $1 order by d.sequence, right(d.webhook_id, 3)`),
    numbered: await rows(`select event_sequence from sessions where id = $1`),
  };
}

let lastEvent = 0;
const newEventId = (): string => `evt_${String((lastEvent += 1)).padStart(26, '0')}`;

for (const seed of [1, 2, 3, 4]) {
  test(`a batch in one statement leaves what the same batch leaves step by step (choices ${seed})`, async () => {
    const owned = await createOwnedSession(store, `at-once-${seed}`, newWebhook(`wh_${seed}_once_all`));
    await store.webhooks.create(owned.session, newWebhook(`wh_${seed}_once_few`, { events: ['connected'] }));
    const other = await createOwnedSession(store, `by-step-${seed}`, newWebhook(`wh_${seed}_step_all`));
    await store.webhooks.create(other.session, newWebhook(`wh_${seed}_step_few`, { events: ['connected'] }));
    let bySteps = 0;
    const counted: Database = {
      ...pool,
      transaction: (work) => {
        bySteps += 1;
        return pool.transaction(work);
      },
    };
    const told: SessionEvent[] = [];
    const options = { vault, newEventId, desk: new LeaseDesk(), clock: systemClock };
    const commit = createCommit({ ...options, database: counted, onEvent: (event) => void told.push(event) });
    const atOnce = randomBatches(seed, owned.session, owned.epoch);
    const byStep = randomBatches(seed, other.session, other.epoch);
    for (const [index, writes] of atOnce.entries()) {
      const outcomes = await commit(writes);
      const expected = await pool.transaction((transaction) =>
        commitBatch(transaction, byStep[index] ?? [], { newEventId, vault }),
      );
      assert.deepEqual(
        outcomes.map((outcome) => outcome?.code ?? null),
        expected.outcomes.map((outcome) => outcome?.code ?? null),
      );
      assert.deepEqual(
        told.splice(0),
        expected.events.map(({ event }) => event),
      );
      assert.deepEqual(await stateOf(owned.session), await stateOf(other.session), `after batch ${index}`);
    }
    const [gaps] = await database.query(
      `select count(*) as events, max(position) - min(position) + 1 as span from events where session_id in ($1, $2)`,
      [owned.session, other.session],
    );
    assert.equal(gaps?.['events'], gaps?.['span'], 'positions have gaps');
    assert.ok(bySteps < atOnce.length / 2, `${bySteps} of ${atOnce.length} batches took steps`);
  });
}

describe('webhooks that change between two commits', () => {
  const deliveredTo = async (session: string): Promise<readonly string[]> =>
    (
      await database.query(
        `select d.sequence, d.webhook_id from deliveries d join webhooks w on w.id = d.webhook_id
         where w.session_id = $1 order by d.sequence, d.webhook_id`,
        [session],
      )
    ).map((row) => `${String(row['sequence'])} ${String(row['webhook_id'])}`);

  test('get what they want now: one that is new, one that wants other events, one that is off, one that is gone', async () => {
    const { session, epoch } = await createOwnedSession(store, 'changing', newWebhook('wh_first'));
    const record = (id: string) => store.commits.record({ session, epoch, items: [receivedItem(id)] });
    await record('C1');
    await record('C2');
    await store.webhooks.create(session, newWebhook('wh_second'));
    await record('C3');
    await store.webhooks.update(session, 'wh_first', { events: ['connected'] });
    await record('C4');
    await store.webhooks.switchOff(session, 'wh_second');
    await record('C5');
    await store.webhooks.update(session, 'wh_first', { events: ['all'] });
    await store.webhooks.delete(session, 'wh_second');
    await record('C6');
    assert.deepEqual(await deliveredTo(session), ['1 wh_first', '2 wh_first', '3 wh_first', '6 wh_first']);
    const rows = await database.query(`select count(*) as n from events where session_id = $1`, [session]);
    assert.equal(Number(rows[0]?.['n']), 6);
  });

  test('are asked again when another gateway has changed them', async () => {
    const { session, epoch } = await createOwnedSession(store, 'far', newWebhook('wh_far'));
    const record = (id: string) => store.commits.record({ session, epoch, items: [receivedItem(id)] });
    await record('F1');
    const other = await database.openStore();
    await other.webhooks.create(session, newWebhook('wh_farther', { ordered: true }));
    await record('F2');
    await record('F3');
    assert.deepEqual(await deliveredTo(session), ['1 wh_far', '2 wh_far', '2 wh_farther', '3 wh_far', '3 wh_farther']);
    const lanes = await database.query(
      `select blocked from deliveries where webhook_id = 'wh_farther' order by sequence`,
    );
    assert.deepEqual(lanes, [{ blocked: false }, { blocked: true }]);
  });
});
