/** What a commit in one statement encrypts, and how it knows with which key. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { CommonQueryMethods } from 'slonik';
import { systemClock } from '../../src/clock.ts';
import type { SessionId } from '../../src/contract/ids.ts';
import { logger } from '../../src/log.ts';
import type { Outcome, Write } from '../../src/store/commit-batch.ts';
import { createCommit } from '../../src/store/commit.ts';
import { driverUrl } from '../../src/store/connection-url.ts';
import { keyIdOf } from '../../src/store/envelope.ts';
import { LeaseDesk } from '../../src/store/lease-desk.ts';
import { openVault } from '../../src/store/open-vault.ts';
import { openDatabase, type Database } from '../../src/store/pool.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOwnedSession, newWebhook, receivedItem } from '../support/store-fixtures.ts';
import { testKeys } from '../support/test-keys.ts';

interface Owned {
  readonly session: SessionId;
  readonly epoch: number;
}

/** A queue's commit that counts what it asks of the database. */
interface CountedCommit {
  readonly commit: (writes: readonly Write[]) => Promise<readonly Outcome[]>;
  /** Statements outside of transactions, and transactions, since the last time. */
  readonly spent: () => { readonly statements: number; readonly transactions: number };
}

describe('what a commit in one statement encrypts', () => {
  let database: TestDatabase;
  let store: Store;
  let pool: Database;

  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
    pool = await openDatabase(driverUrl(database.url), logger('test'));
  });
  after(async () => {
    await pool.end();
    await database.dispose();
  });

  async function startCommits(): Promise<CountedCommit> {
    let [statements, transactions] = [0, 0];
    const counted = (connection: CommonQueryMethods): CommonQueryMethods => ({
      ...connection,
      any: (query) => {
        statements += 1;
        return connection.any(query);
      },
      one: (query) => {
        statements += 1;
        return connection.one(query);
      },
    });
    const counting: Database = {
      ...pool,
      run: (work, timeoutMs) => pool.run((connection) => work(counted(connection)), timeoutMs),
      transaction: (work) => {
        transactions += 1;
        return pool.transaction(work);
      },
    };
    const { vault } = await openVault(pool, testKeys());
    const newEventId = (): string => `evt_${randomBytes(13).toString('hex')}`;
    const options = { vault, newEventId, desk: new LeaseDesk(), clock: systemClock };
    return {
      commit: createCommit({ ...options, database: counting }),
      spent: () => {
        const spent = { statements, transactions };
        [statements, transactions] = [0, 0];
        return spent;
      },
    };
  }

  /** Writes credentials and a key; answers both. */
  async function write({ commit }: CountedCommit, { session, epoch }: Owned) {
    const [creds, value] = [randomBytes(40), randomBytes(40)];
    const mutations = { session: { x: value } };
    assert.deepEqual(await commit([{ tag: 'keys', body: { session, epoch, mutations, creds } }]), [null]);
    return { creds, value };
  }

  /** As one reads it who has seen nothing of it before. */
  async function read(session: SessionId) {
    const other = await database.openStore();
    const { creds } = await other.credentials.load(session);
    const { x } = await other.credentials.getKeys(session, 'session', ['x']);
    return { creds: Buffer.from(creds ?? []), value: Buffer.from(x ?? []) };
  }

  /** The numbers of the session's keys, and of those that its records were encrypted with. */
  async function keysOf(session: SessionId) {
    const keys = await database.query('select id::int from data_keys where session_id = $1 order by id', [session]);
    const records = await database.query(
      'select value from signal_keys where session_id = $1 union all select value from credentials where session_id = $1',
      [session],
    );
    const used = records.map(({ value }) => (value instanceof Uint8Array ? Number(keyIdOf(value)) : null));
    return { keys: keys.map(({ id }) => id), used };
  }

  test('takes one way to the database and back as soon as the key of the session is known', async () => {
    const owned = await createOwnedSession(store, 'warm');
    const commits = await startCommits();
    await write(commits, owned);
    assert.equal(commits.spent().transactions, 1, 'its key is made');
    await write(commits, owned);
    assert.equal(commits.spent().transactions, 0, 'its key is read back');
    const written = await write(commits, owned);
    assert.deepEqual(commits.spent(), { statements: 1, transactions: 0 });
    assert.deepEqual(await read(owned.session), written);
    assert.equal((await keysOf(owned.session)).keys.length, 1);
  });

  test('takes the newest key of the session, also one that another gateway has made meanwhile', async () => {
    const owned = await createOwnedSession(store, 'newer');
    const commits = await startCommits();
    for (let turn = 0; turn < 3; turn += 1) await write(commits, owned);
    const { vault } = await openVault(pool, testKeys());
    await pool.transaction((transaction) => vault.sealer(transaction, new Map([[owned.session, null]])));
    const written = await write(commits, owned);
    const { keys, used } = await keysOf(owned.session);
    assert.equal(keys.length, 2);
    assert.deepEqual(used, [keys[1], keys[1]]);
    assert.deepEqual(await read(owned.session), written);
  });

  test('has a new key when the present one has encrypted enough', async () => {
    const owned = await createOwnedSession(store, 'used-up');
    await write(await startCommits(), owned);
    await database.query('update data_keys set records = 268435456 where session_id = $1', [owned.session]);
    const commits = await startCommits();
    const written = await write(commits, owned);
    assert.deepEqual(await read(owned.session), written);
    const { keys, used } = await keysOf(owned.session);
    assert.deepEqual([keys.length, used], [2, [keys[1], keys[1]]]);
    await write(commits, owned);
    commits.spent();
    await write(commits, owned);
    assert.deepEqual(commits.spent(), { statements: 1, transactions: 0 });
  });

  test('opens although the session was deleted and made anew under its id by another gateway', async () => {
    const commits = await startCommits();
    const first = await createOwnedSession(store, 'phoenix');
    for (let turn = 0; turn < 3; turn += 1) await write(commits, first);
    const other = await database.openStore();
    await other.sessions.delete(first.session);
    const second = await createOwnedSession(other, 'phoenix');
    assert.equal(second.epoch, first.epoch, 'the epoch does not tell the two apart');
    for (let turn = 0; turn < 3; turn += 1) {
      const written = await write(commits, second);
      assert.deepEqual(await read(second.session), written);
    }
  });

  test('leases no delivery for a webhook whose secret does not open, and those of the others', async () => {
    const { session, epoch } = await createOwnedSession(store, 'tampered', newWebhook('wh_bad'));
    await store.webhooks.create(session, newWebhook('wh_good'));
    await database.query(`update webhooks set sealed_secret = '\\x00' where id = 'wh_bad'`);
    const taken: string[] = [];
    const leave = store.outbox.onLeased({
      leaseMs: 60_000,
      places: () => 10,
      take: (deliveries) => taken.push(...deliveries.map(({ webhook }) => `${webhook.id} ${webhook.secret}`)),
    });
    await store.commits.record({ session, epoch, items: [receivedItem('T1')] });
    leave();
    assert.deepEqual(taken, ['wh_good test-secret']);
    const leases = await database.query(
      'select webhook_id, lease_until is null as is_free from deliveries order by webhook_id',
    );
    assert.deepEqual(leases, [
      { webhook_id: 'wh_bad', is_free: true },
      { webhook_id: 'wh_good', is_free: false },
    ]);
  });
});
