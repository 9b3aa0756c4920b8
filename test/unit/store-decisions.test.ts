import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectionUrl, driverUrl, maskedUrl } from '../../src/store/connection-url.ts';
import { foldKeyChanges, type KeyWrite } from '../../src/store/key-changes.ts';
import { canMove } from '../../src/store/message-status.ts';
import { choosePrivilege, privileged, type PrivilegeFacts } from '../../src/store/postgres-privilege.ts';

const bytes = (value: number): Uint8Array => Uint8Array.of(value);

describe('the status of a message', () => {
  const statuses = ['accepted', 'sent', 'delivered', 'read', 'played', 'failed'] as const;

  test('never goes back, whatever the order of what is told', () => {
    for (const from of statuses) {
      assert.equal(canMove(from, from), false);
      for (const to of statuses) assert.ok(!(canMove(from, to) && canMove(to, from)), `${from} and ${to}`);
    }
  });

  test('is final once it failed, and cannot fail once somebody has the message', () => {
    for (const to of statuses) assert.equal(canMove('failed', to), false);
    assert.deepEqual(
      statuses.filter((from) => canMove(from, 'failed')),
      ['accepted', 'sent'],
    );
  });
});

describe('key changes of one batch', () => {
  const setCreds = (session: string, value: number): KeyWrite => ({
    tag: 'set',
    session,
    mutations: {},
    creds: bytes(value),
  });
  const set = (session: string, id: string, value: number | null): KeyWrite => ({
    tag: 'set',
    session,
    mutations: { session: { [id]: value === null ? null : bytes(value) } },
    creds: null,
  });

  test('end in one state per row, the latest', () => {
    const { keys, credentials } = foldKeyChanges([
      set('s', 'a', 1),
      setCreds('s', 1),
      set('t', 'a', 9),
      set('s', 'a', null),
      setCreds('s', 2),
      set('s', 'b', 3),
    ]);
    assert.deepEqual(
      keys.map(({ session, id, value }) => [session, id, value?.[0] ?? null]),
      [
        ['s', 'a', null],
        ['t', 'a', 9],
        ['s', 'b', 3],
      ],
    );
    assert.deepEqual(
      credentials.map(({ session, value }) => [session, value[0]]),
      [['s', 2]],
    );
  });

  test('a clear undoes what came before it, spares the inbox, and not what comes after it', () => {
    const { cleared, keys, credentials } = foldKeyChanges([
      { tag: 'set', session: 's', mutations: { inbox: { waiting: bytes(1) } }, creds: null },
      set('s', 'old', 1),
      setCreds('s', 1),
      set('t', 'old', 1),
      setCreds('t', 1),
      { tag: 'clear', session: 's' },
      set('s', 'new', 2),
    ]);
    assert.deepEqual(cleared, ['s']);
    assert.deepEqual(
      keys.map(({ session, id }) => `${session}/${id}`),
      ['s/waiting', 't/old', 's/new'],
    );
    assert.deepEqual(
      credentials.map(({ session }) => session),
      ['t'],
    );
  });

  test('an inbox entry that is written and settled in one batch is gone', () => {
    const { keys } = foldKeyChanges([
      { tag: 'set', session: 's', mutations: { inbox: { waiting: bytes(1) } }, creds: null },
      { tag: 'settle_inbox', session: 's', id: 'waiting' },
    ]);
    assert.deepEqual(keys, [{ session: 's', type: 'inbox', id: 'waiting', value: null }]);
  });
});

describe('as whom the embedded Postgres runs', () => {
  const facts: PrivilegeFacts = {
    uid: 0,
    dataOwner: null,
    hasUserNamespaces: true,
    hasSetpriv: true,
    nobody: { uid: 65_534, gid: 65_534 },
  };

  test('an ordinary user runs it as themselves, on their own folder only', () => {
    assert.deepEqual(choosePrivilege({ ...facts, uid: 1000 }), { tag: 'same' });
    assert.deepEqual(choosePrivilege({ ...facts, uid: 1000, dataOwner: { uid: 1000, gid: 7 } }), { tag: 'same' });
    assert.throws(() => choosePrivilege({ ...facts, uid: 1000, dataOwner: { uid: 0, gid: 0 } }), /DATABASE_URL/);
  });

  test('root hides in a namespace, becomes nobody without one, and follows the owner of the data', () => {
    assert.deepEqual(choosePrivilege(facts), { tag: 'namespace' });
    assert.deepEqual(choosePrivilege({ ...facts, hasUserNamespaces: false }), {
      tag: 'user',
      uid: 65_534,
      gid: 65_534,
    });
    assert.deepEqual(choosePrivilege({ ...facts, dataOwner: { uid: 1000, gid: 7 } }), {
      tag: 'user',
      uid: 1000,
      gid: 7,
    });
    assert.throws(() => choosePrivilege({ ...facts, hasUserNamespaces: false, hasSetpriv: false }), /DATABASE_URL/);
  });

  test('wherever the system can, it is told to stop when the gateway dies', () => {
    for (const privilege of [{ tag: 'same' }, { tag: 'namespace' }, { tag: 'user', uid: 5, gid: 5 }] as const) {
      assert.match(
        privileged(privilege, ['postgres'], true).join(' '),
        /setpriv --pdeathsig INT .*postgres$|INT postgres$/,
      );
    }
    assert.deepEqual(privileged({ tag: 'same' }, ['postgres', '-D', 'x'], false), ['postgres', '-D', 'x']);
  });
});

describe('connection addresses', () => {
  test('the TLS modes of libpq are translated, and everything else is left alone', () => {
    assert.match(
      driverUrl('postgres://u:p@h/d?sslmode=verify-full&application_name=x'),
      /sslmode=require&application_name=x/,
    );
    assert.match(driverUrl('postgres://u:p@h/d?sslmode=prefer'), /sslmode=disable/);
    assert.equal(driverUrl('postgres://u:p@h/d'), 'postgres://u:p@h/d');
  });

  test('no password is shown', () => {
    const url = connectionUrl({ host: 'h', port: 1, user: 'u', password: 'p/w', database: 'd' });
    assert.equal(maskedUrl(url), 'postgres://u:***@h:1/d');
    assert.ok(!maskedUrl('postgres://h/d?password=hidden').includes('hidden'));
    assert.ok(!maskedUrl('not a url with hidden').includes('hidden'));
  });
});
