import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAllowedAddress, plainAddress } from '../../src/api/auth/allowed-address.ts';
import { firstOf } from '../../src/api/auth/all-authenticators.ts';
import { objectionsToGrant } from '../../src/api/auth/grant.ts';
import { isAllowed, superadmin, type Principal } from '../../src/api/auth/principal.ts';
import { createStoredTokens } from '../../src/api/auth/stored-tokens.ts';
import { newTokenId, newTokenValue, readTokenValue } from '../../src/api/auth/token-value.ts';
import { expiresAtOf, expiryOf } from '../../src/api/dashboard/token-expiry.ts';
import { WardenError } from '../../src/contract/errors.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { narrowedScopes, roles, scopesOf } from '../../src/contract/roles.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import type { TokenRow } from '../../src/store/tokens-store.ts';

setLogLevel('silent');

function session(id: string): SessionId {
  const parsed = parseSessionId(id);
  assert.ok(parsed !== null);
  return parsed;
}

describe('roles', () => {
  test('each may do what the one before may, and more', () => {
    const [viewer, operator, admin] = roles.map((role) => new Set<string>(scopesOf[role]));
    assert.ok(viewer && operator && admin);
    assert.ok(viewer.isSubsetOf(operator) && viewer.size < operator.size);
    assert.ok(operator.isSubsetOf(admin) && operator.size < admin.size);
  });

  test('none but one for all sessions has to do with the gateway as a whole', () => {
    const narrow: Principal = { id: 'narrow', scopes: scopesOf.admin, sessions: [session('one')] };
    assert.equal(isAllowed(narrow, 'admin', null), false);
    assert.equal(isAllowed(narrow, 'read', session('one')), true);
    assert.equal(isAllowed(narrow, 'read', session('two')), false);
  });
});

describe('what somebody may give', () => {
  const grant = {
    name: 'Test',
    role: 'operator',
    scopes: null,
    sessions: [session('one')],
    addresses: [],
    expiresAt: null,
  } as const;
  const fields = (...call: Parameters<typeof objectionsToGrant>): readonly string[] =>
    objectionsToGrant(...call).map(({ field }) => field);

  test('is everything for the superadmin', () => {
    assert.deepEqual(fields(grant, superadmin, 0), []);
    assert.deepEqual(fields({ ...grant, role: 'admin', sessions: 'all' }, superadmin, 0), []);
  });

  test('is no role above their own and no session that is not theirs', () => {
    const giver: Principal = { id: 'giver', scopes: scopesOf.operator, sessions: [session('one')] };
    assert.deepEqual(fields(grant, giver, 0), []);
    assert.deepEqual(fields({ ...grant, role: 'admin', sessions: 'all' }, giver, 0), ['role', 'sessions']);
    assert.deepEqual(fields({ ...grant, sessions: [session('one'), session('two')] }, giver, 0), ['sessions']);
    assert.deepEqual(fields({ ...grant, sessions: 'all' }, giver, 0), ['sessions']);
  });

  test('may be less than a role, and never more than it', () => {
    const giver: Principal = { id: 'giver', scopes: ['read', 'send'], sessions: [session('one')] };
    assert.deepEqual(fields(grant, giver, 0), ['role']);
    assert.deepEqual(fields({ ...grant, scopes: ['send'] }, giver, 0), []);
    assert.deepEqual(fields({ ...grant, scopes: ['send', 'manage'] }, giver, 0), ['role']);
    assert.deepEqual(fields({ ...grant, scopes: ['read', 'admin'] }, superadmin, 0), ['scopes']);
    assert.deepEqual(narrowedScopes('operator', ['admin', 'send']), ['send']);
    assert.deepEqual(narrowedScopes('viewer', null), ['read']);
  });

  test('ends in the future', () => {
    assert.deepEqual(fields({ ...grant, expiresAt: 1000 }, superadmin, 1000), ['expires_at']);
    assert.deepEqual(fields({ ...grant, expiresAt: 1001 }, superadmin, 1000), []);
  });
});

describe('an allowed address', () => {
  test('lies in one of the networks, of its own family', () => {
    assert.ok(isAllowedAddress('10.1.2.3', ['192.168.0.0/16', '10.0.0.0/8']));
    assert.ok(isAllowedAddress('fd00::1', ['fd00::/8']));
    assert.ok(isAllowedAddress('192.0.2.1', ['192.0.2.1']));
    assert.ok(isAllowedAddress('192.0.2.1', []));
    for (const networks of [['10.0.0.0/8'], ['::/0'], ['::ffff:0:0/96'], ['192.0.2.2']]) {
      assert.equal(isAllowedAddress('192.0.2.1', networks), false, networks.join());
    }
    assert.equal(isAllowedAddress('', ['0.0.0.0/0']), false);
  });

  test('of IPv4 is known on a socket of IPv6', () => {
    assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(plainAddress('fd00::ffff:1'), 'fd00::ffff:1');
  });
});

describe('the value of a token', () => {
  test('is read back to its id and digest, and everything else is none', () => {
    const id = newTokenId();
    const { value, digest } = newTokenValue(id);
    assert.deepEqual(readTokenValue(value), { id, digest });
    for (const wrong of ['', value.slice(1), `${value}x`, value.toUpperCase(), ` ${value}`, `${value}\n`]) {
      assert.equal(readTokenValue(wrong), null, wrong);
    }
  });
});

describe('stored tokens', () => {
  const made = newTokenValue('0123456789abcdef');
  const row: TokenRow = {
    id: '0123456789abcdef',
    name: 'Test',
    role: 'viewer',
    scopes: null,
    sessions: 'all',
    addresses: [],
    expiresAt: null,
    createdBy: 'superadmin',
    createdAt: 0,
    lastUsedAt: null,
    revokedAt: null,
  };

  function open(found: () => TokenRow) {
    const calls = { lookUps: 0, touches: 0, now: 1_000_000 };
    const tokens = createStoredTokens({
      store: {
        findWithDigest: async (id) => {
          calls.lookUps += 1;
          return id === row.id ? { row: found(), digest: made.digest } : null;
        },
        touch: async () => void (calls.touches += 1),
      },
      clock: { now: () => calls.now, monotonic: () => calls.now },
      log: logger('auth'),
    });
    return { tokens, calls };
  }

  test('cost one query in some seconds, and a note of their use a minute', async () => {
    const { tokens, calls } = open(() => row);
    for (let number = 0; number < 100; number += 1) assert.equal((await tokens.authenticate(made.value))?.id, row.id);
    assert.deepEqual([calls.lookUps, calls.touches], [1, 1]);
    calls.now += 30_000;
    await tokens.authenticate(made.value);
    assert.deepEqual([calls.lookUps, calls.touches], [2, 1]);
    calls.now += 31_000;
    await tokens.authenticate(made.value);
    assert.deepEqual([calls.lookUps, calls.touches], [3, 2]);
  });

  test('that expire are refused from that instant on, though they are remembered', async () => {
    const { tokens, calls } = open(() => ({ ...row, expiresAt: 1_001_000 }));
    assert.ok(await tokens.authenticate(made.value));
    calls.now = 1_001_000;
    assert.equal(await tokens.authenticate(made.value), null);
    assert.equal(await tokens.principalOf(row.id), null);
    assert.match((await tokens.endOf(made.value)) ?? '', /expired/);
    assert.equal(calls.lookUps, 1);
  });

  test('that were changed are looked up anew', async () => {
    let revokedAt: number | null = null;
    const { tokens } = open(() => ({ ...row, revokedAt }));
    assert.ok(await tokens.authenticate(made.value));
    revokedAt = 5;
    assert.ok(await tokens.authenticate(made.value));
    tokens.forget(row.id);
    assert.equal(await tokens.authenticate(made.value), null);
    assert.match((await tokens.endOf(made.value)) ?? '', /revoked/);
    assert.equal(await tokens.endOf(newTokenValue(row.id).value), null, 'only its holder is told');
  });

  test('are asked for again after the database failed', async () => {
    let isAway = true;
    const { tokens } = open(() => {
      if (isAway) throw new WardenError('storage_unavailable');
      return row;
    });
    await assert.rejects(tokens.authenticate(made.value), { code: 'storage_unavailable' });
    isAway = false;
    assert.ok(await tokens.authenticate(made.value));
  });

  test('are asked after the superadmin, who needs no database', async () => {
    const { tokens, calls } = open(() => row);
    const auth = firstOf([
      {
        authenticate: async (text) => (text === 'master' ? superadmin : null),
        principalOf: async (id) => (id === superadmin.id ? superadmin : null),
      },
      tokens,
    ]);
    assert.equal(await auth.authenticate('master'), superadmin);
    assert.equal(await auth.principalOf('superadmin'), superadmin);
    assert.equal(calls.lookUps, 0);
    assert.equal((await auth.authenticate(made.value))?.id, row.id);
    assert.equal(await auth.authenticate('nobody'), null);
  });
});

test('a token made in the dashboard works for as long as was chosen, and the shortest time when that makes no sense', () => {
  assert.equal(expiresAtOf('90', 5_000), 5 + 90 * 86_400);
  assert.equal(expiresAtOf('never', 5_000), null);
  assert.equal(expiryOf('365'), '365');
  assert.equal(expiryOf('for ever and ever'), '30');
});
