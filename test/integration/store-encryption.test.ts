import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { logger } from '../../src/log.ts';
import { driverUrl } from '../../src/store/connection-url.ts';
import { createStore } from '../../src/store/create-store.ts';
import { encryptExisting } from '../../src/store/encrypt-existing.ts';
import { EncryptionKeyError } from '../../src/store/encryption-key-error.ts';
import { MasterKeys } from '../../src/store/master-keys.ts';
import { openVault, type MasterKeySource } from '../../src/store/open-vault.ts';
import { openDatabase, type Database } from '../../src/store/pool.ts';
import { rotateKeys } from '../../src/store/rotate-keys.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOwnedSession, hasCode, newWebhook } from '../support/store-fixtures.ts';
import { dumpOf } from '../support/table-dump.ts';
import { testKey, testKeys } from '../support/test-keys.ts';

const log = logger('store');

describe('what the database holds of sessions', () => {
  let database: TestDatabase;
  let store: Store;
  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
  });
  after(() => database.dispose());

  test('are no credentials, keys, unrecorded messages, webhook secrets or kept answers that anybody could read', async () => {
    const creds = randomBytes(60);
    const key = randomBytes(60);
    const plaintext = Buffer.from('a message that is not recorded yet');
    const secret = `whsec-${randomBytes(20).toString('hex')}`;
    const next = `whsec-${randomBytes(20).toString('hex')}`;
    const { session, epoch } = await createOwnedSession(store, 'secretive', newWebhook('wh_secretive', { secret }));
    const mutations = { session: { '15550001111.0': key }, inbox: { 'M1|from||0': plaintext } };
    await store.commits.setKeys({ session, epoch, mutations, creds });
    await store.webhooks.rotateSecret(session, 'wh_secretive', { secret: next, overlapMs: 60_000 });
    const scope = { principal: 'superadmin', session: null, operation: 'createSession', key: 'k' };
    const claim = { scope, fingerprint: 'f', leaseUntil: null, expiresAt: Date.now() + 60_000 };
    const ordinal = await store.idempotency.claim(claim, null);
    await store.idempotency.finish(ordinal ?? 0, { tag: 'answer', status: 201, body: { webhook: { secret } } });

    const dump = await dumpOf(database);
    for (const hidden of [creds, key, plaintext, Buffer.from(secret), Buffer.from(next)]) {
      assert.equal(dump.holds(hidden), false);
    }
    assert.equal(dump.holds(Buffer.from('15550001111.0')), true, 'the dump would show it');

    const again = await database.openStore();
    const loaded = await again.credentials.load(session);
    assert.deepEqual(Buffer.from(loaded.creds ?? []), creds);
    assert.deepEqual(Buffer.from(loaded.inbox[0]?.value ?? []), plaintext);
    const keys = await again.credentials.getKeys(session, 'session', ['15550001111.0', 'nobody']);
    assert.deepEqual(Object.keys(keys), ['15550001111.0']);
    assert.deepEqual(Buffer.from(keys['15550001111.0'] ?? []), key);
    const outcome = (await again.idempotency.find(scope))?.outcome;
    assert.deepEqual(outcome, { tag: 'answer', status: 201, body: { webhook: { secret } } });
    const at = Date.now();
    await again.commits.emit(session, { name: 'logged_out', data: { reason: 'test', code: null } }, at);
    const [claimed] = await again.outbox.claim(5, 1_000);
    assert.deepEqual([claimed?.webhook.secret, claimed?.webhook.previousSecret], [next, secret]);
  });

  test('does not open in the row of another session, or under another name', async () => {
    const [a, b] = [await createOwnedSession(store, 'swap-a'), await createOwnedSession(store, 'swap-b')];
    for (const { session, epoch } of [a, b]) {
      const mutations = { session: { x: randomBytes(40), y: randomBytes(40) } };
      await store.commits.setKeys({ session, epoch, mutations, creds: randomBytes(40) });
    }
    const copy = (table: string, from: string, to: string) =>
      database.query(
        `update ${table} t set value = f.value from ${table} f where ${from.replaceAll('@', 'f')} and ${to.replaceAll('@', 't')}`,
      );
    const row = (session: string, id: string) => `@.session_id = '${session}' and @.id = '${id}'`;
    await copy('credentials', `@.session_id = 'swap-a'`, `@.session_id = 'swap-b'`);
    await assert.rejects(store.credentials.load(b.session), hasCode('internal_error'));
    await copy('signal_keys', row('swap-a', 'x'), row('swap-b', 'x'));
    await assert.rejects(store.credentials.getKeys(b.session, 'session', ['x']), hasCode('internal_error'));
    await copy('signal_keys', row('swap-a', 'x'), row('swap-a', 'y'));
    await assert.rejects(store.credentials.getKeys(a.session, 'session', ['y']), hasCode('internal_error'));
    assert.ok((await store.credentials.getKeys(a.session, 'session', ['x']))['x']);
    // Nor does it help to take the other session's key along.
    await database.query(`update data_keys set session_id = 'swap-b' where session_id = 'swap-a'`);
    const fresh = { connection: database.url, log, clock: systemClock, keys: testKeys() };
    await assert.rejects(createStore(fresh), EncryptionKeyError);
    await database.query(`update data_keys set session_id = 'swap-a' where id = (
      select min(id) from data_keys where session_id = 'swap-b')`);
  });

  test('a webhook whose secret was tampered with does not hold up the others', async () => {
    const { session } = await createOwnedSession(store, 'tampered', newWebhook('wh_bad'));
    await store.webhooks.create(session, newWebhook('wh_good'));
    await database.query(`update webhooks set sealed_secret = '\\x00' where id = 'wh_bad'`);
    await store.commits.emit(session, { name: 'logged_out', data: { reason: 'test', code: null } }, Date.now());
    const claimed = await store.outbox.claim(50, 1_000);
    assert.deepEqual(
      claimed.filter(({ webhook }) => webhook.session === session).map(({ webhook }) => webhook.id),
      ['wh_good'],
    );
    await database.query(`delete from webhooks where id = 'wh_bad'`);
  });

  test('a session that is deleted and made anew under its id has nothing to do with the old one', async () => {
    const first = await createOwnedSession(store, 'phoenix');
    await store.commits.setKeys({ ...first, mutations: { session: { x: randomBytes(9) } }, creds: null });
    await store.sessions.delete(first.session);
    const second = await createOwnedSession(store, 'phoenix');
    const value = randomBytes(9);
    await store.commits.setKeys({ ...second, mutations: { session: { x: value } }, creds: null });
    const other = await database.openStore();
    assert.deepEqual(
      Buffer.from((await other.credentials.getKeys(second.session, 'session', ['x']))['x'] ?? []),
      value,
    );
  });

  test('a key that has encrypted enough is followed by another, and both still decrypt', async () => {
    const owned = await createOwnedSession(store, 'busy');
    const [old, young] = [randomBytes(9), randomBytes(9)];
    await store.commits.setKeys({ ...owned, mutations: { session: { old } }, creds: null });
    await database.query(`update data_keys set records = 268435456 where session_id = 'busy'`);
    const other = await database.openStore();
    await other.commits.setKeys({ ...owned, mutations: { session: { young } }, creds: null });
    assert.equal((await database.query(`select id from data_keys where session_id = 'busy'`)).length, 2);
    const found = await store.credentials.getKeys(owned.session, 'session', ['old', 'young']);
    assert.deepEqual(Buffer.from(found['old'] ?? []), old);
    assert.deepEqual(Buffer.from(found['young'] ?? []), young);
  });
});

describe('a database from before encryption', () => {
  let test_: TestDatabase;
  let database: Database;
  const names = ['old-1', 'old-2', 'old-3'];
  const secretOf = (name: string) => Buffer.from(`plain secret of ${name}`);
  before(async () => {
    test_ = await createTestDatabase();
    database = await openDatabase(driverUrl(test_.url), log);
    for (const name of names) {
      await test_.query(`insert into sessions (id, sandbox, desired) values ($1, false, 'stopped')`, [name]);
      const value = secretOf(name);
      await test_.query('insert into credentials (session_id, value, is_sealed) values ($1, $2, false)', [name, value]);
      for (let id = 0; id < 5; id += 1) {
        await test_.query(
          `insert into signal_keys (session_id, type, id, value, is_sealed) values ($1, 'pre-key', $2, $3, false)`,
          [name, String(id), value],
        );
      }
      await test_.query(
        `insert into webhooks (id, session_id, url, secret, previous_secret, previous_secret_until, events, ordered, allow_private)
         values ($1, $1, 'http://127.0.0.1:9/', $2, $2, now() + interval '1 hour', '{all}', false, true)`,
        [name, secretOf(name).toString()],
      );
      await test_.query('insert into webhook_health (webhook_id) values ($1)', [name]);
    }
    await test_.query(
      `insert into idempotency (ordinal, principal, operation, key, fingerprint, outcome, expires_at)
       overriding system value values (77, 'p', 'createSession', 'k', 'f', $1, now() + interval '1 hour')`,
      [JSON.stringify({ tag: 'answer', status: 201, body: { secret: secretOf('old-1').toString() } })],
    );
  });
  after(async () => {
    await database.end();
    await test_.dispose();
  });

  test('is encrypted by the next start, which may be interrupted after any batch', async () => {
    const { vault } = await openVault(database, testKeys());
    for (let allowed = 1; ; allowed += 2) {
      let count = 0;
      const cut: Pick<Database, 'transaction'> = {
        transaction: (work) => {
          count += 1;
          return count > allowed ? Promise.reject(new Error('cut off')) : database.transaction(work);
        },
      };
      const isWhole = await encryptExisting(cut, { vault, log, limit: 2 }).then(
        () => true,
        () => false,
      );
      if (isWhole) break;
      const left = await test_.query('select 1 from signal_keys where not is_sealed');
      assert.ok(allowed < 60, `${left.length} rows are left`);
    }
    const dump = await dumpOf(test_);
    for (const name of names) assert.equal(dump.holds(secretOf(name)), false);
    const store = await test_.openStore();
    for (const name of names) {
      const session = known(name);
      assert.deepEqual(Buffer.from((await store.credentials.load(session)).creds ?? []), secretOf(name));
      const keys = await store.credentials.getKeys(session, 'pre-key', ['0', '1', '2', '3', '4']);
      assert.equal(Object.keys(keys).length, 5);
      await store.commits.emit(session, { name: 'logged_out', data: { reason: 'test', code: null } }, Date.now());
    }
    const claimed = await store.outbox.claim(50, 1_000);
    assert.deepEqual(
      claimed.map(({ webhook }) => [webhook.id, webhook.secret, webhook.previousSecret]),
      names.map((name) => [name, secretOf(name).toString(), secretOf(name).toString()]),
    );
    const scope = { principal: 'p', session: null, operation: 'createSession', key: 'k' };
    assert.match(JSON.stringify((await store.idempotency.find(scope))?.outcome), /plain secret of old-1/);
  });
});

describe('the key of the gateway', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database.dispose());
  const open = (keys: MasterKeySource) => createStore({ connection: database.url, log, clock: systemClock, keys });
  const read = async (keys: MasterKeySource): Promise<number> => {
    const store = await open(keys);
    const found = await Promise.all(
      sessions.map(async (session) => (await store.credentials.getKeys(session, 'session', ['x']))['x']),
    );
    await store.close();
    return found.filter((value) => value !== undefined).length;
  };
  const sessions: SessionId[] = [];

  test('is made once, and only for a database in which nothing is encrypted', async () => {
    let made = 0;
    const nothing: MasterKeySource = {
      read: async () => null,
      generate: async () => {
        made += 1;
        return testKey('old');
      },
    };
    const store = await open(nothing);
    for (let n = 0; n < 6; n += 1) {
      const owned = await createOwnedSession(store, `kept-${n}`);
      sessions.push(owned.session);
      await store.commits.setKeys({ ...owned, mutations: { session: { x: randomBytes(9) } }, creds: null });
    }
    await store.close();
    assert.equal(made, 1);
    await assert.rejects(open(nothing), /no encryption key.*"old".*ENCRYPTION_KEY/s);
    assert.equal(made, 1);
  });

  test('that does not open what is there ends the start and changes nothing', async () => {
    const before = await database.query('select * from data_keys order by id');
    await assert.rejects(open(testKeys('wrong')), EncryptionKeyError);
    await assert.rejects(open(testKeys('wrong')), /encrypted with the key "old".*ENCRYPTION_KEY/s);
    assert.deepEqual(await database.query('select * from data_keys order by id'), before);
    assert.equal(await read(testKeys('old')), 6);
  });

  test('works under another name, too', async () => {
    const renamed: MasterKeySource = { ...testKeys(), read: async () => [{ ...testKey('old'), id: 'renamed' }] };
    assert.equal(await read(renamed), 6);
  });

  test('is changed by wrapping the keys of sessions anew, which may be interrupted and repeated', async () => {
    const pool = await openDatabase(driverUrl(database.url), log);
    const masterKeys = new MasterKeys([testKey('new'), testKey('old')]);
    const wrappedWith = async (id: string) =>
      (await database.query('select id from data_keys where kek_id = $1', [id])).length;
    const total = await wrappedWith('old');
    let calls = 0;
    const cut: Pick<Database, 'run'> = {
      run: (work) => {
        calls += 1;
        return calls > 4 ? Promise.reject(new Error('cut off')) : pool.run(work);
      },
    };
    await assert.rejects(rotateKeys(cut, masterKeys), /cut off/);
    assert.equal(await wrappedWith('new'), 3);
    await assert.rejects(rotateKeys(pool, new MasterKeys([testKey('new')])), hasCode('unprocessable'));
    // Neither key alone is enough meanwhile.
    await assert.rejects(open(testKeys('new')), EncryptionKeyError);
    await assert.rejects(open(testKeys('old')), EncryptionKeyError);
    assert.equal(await read(testKeys('new', 'old')), 6);
    assert.deepEqual(await rotateKeys(pool, masterKeys), { keyId: 'new', rewrapped: total - 3, total });
    assert.deepEqual(await rotateKeys(pool, masterKeys), { keyId: 'new', rewrapped: 0, total });
    await pool.end();
    assert.equal(await read(testKeys('new')), 6);
    await assert.rejects(open(testKeys('old')), EncryptionKeyError);
  });

  test('can be changed while sessions write', async () => {
    const store = await open(testKeys('newest', 'new'));
    const owned = await createOwnedSession(store, 'writing');
    const writing = Array.from({ length: 40 }, (_, n) =>
      store.commits.setKeys({ ...owned, mutations: { session: { [`k${n}`]: randomBytes(9) } }, creds: null }),
    );
    const { keyId } = await store.encryption.rotate();
    await Promise.all(writing);
    await store.close();
    assert.equal(keyId, 'newest');
    assert.equal(await read(testKeys('newest')), 6);
  });
});

function known(name: string): SessionId {
  const id = parseSessionId(name);
  assert.ok(id !== null);
  return id;
}
