import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { operationNames, operations, type OperationName } from '../../src/contract/index.ts';
import type { Operation } from '../../src/contract/operation.ts';
import { scopesOf, type Role } from '../../src/contract/roles.ts';
import { at, keysOf, type ApiAnswer } from '../support/api-client.ts';
import { startApi, testJwtSecret, type ApiUnderTest } from '../support/api-under-test.ts';

/** Not about a session and not about the gateway as a whole: they answer with what the caller may see. */
const narrowed: readonly OperationName[] = ['listSessions', 'streamEvents'];

let api: ApiUnderTest;
const holders = new Map<string, string>();

before(async () => {
  api = await startApi();
  for (const id of ['mine', 'theirs'])
    await api.client.call('POST', '/api/v1/sessions', { body: { id, auto_connect: false } });
  for (const role of ['viewer', 'operator'] as const) {
    holders.set(role, await create({ role, sessions: ['mine'] }));
    holders.set(`other ${role}`, await create({ role, sessions: ['theirs'] }));
  }
  holders.set('admin', await create({ role: 'admin', sessions: '*' }));
  holders.set('revoked', await create({ role: 'admin', sessions: '*' }));
  await api.client.call('DELETE', `/api/v1/tokens/${idOf(token('revoked'))}`);
  holders.set('expired', await create({ role: 'admin', sessions: '*' }));
  await api.database.query(`update api_tokens set expires_at = now() - interval '1 second' where id = $1`, [
    idOf(token('expired')),
  ]);
  holders.set('elsewhere', await create({ role: 'admin', sessions: '*', addresses: ['10.0.0.0/8', 'fd00::/8'] }));
});
after(() => api.close());

const pathsOf = (operation: Operation): readonly string[] => [operation.path, ...(operation.aliases ?? [])];

async function create(grant: Readonly<Record<string, unknown>>): Promise<string> {
  const answer = await api.client.call('POST', '/api/v1/tokens', { body: { name: 'for tests', ...grant } });
  assert.equal(answer.status, 201, answer.text);
  return String(at(answer.json, 'token'));
}

const idOf = (value: string): string => value.split('_')[1] ?? '';
function token(holder: string): string {
  const value = holders.get(holder);
  assert.ok(value !== undefined);
  return value;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = { sub: 'superadmin', role: 'superadmin', iat: 1_700_000_000, exp: 4_000_000_000 };

/** What is no token, by what is wrong with it. */
const forged: Readonly<Record<string, () => string | null>> = {
  absent: () => null,
  'of an unknown id': () => `wdn_0123456789abcdef_${'A'.repeat(43)}`,
  'of a known id with another secret': () => `wdn_${idOf(token('admin'))}_${'A'.repeat(43)}`,
  'of one token with the id of another': () => token('viewer').replace(idOf(token('viewer')), idOf(token('admin'))),
  'longer than the right one': () => `${token('admin')}A`,
  'a JWT with alg none': () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`,
  'a JWT with another key': () => jwt.sign(claims, 'another-jwt-secret-of-more-than-32-bytes'),
  'a JWT of another algorithm': () => jwt.sign(claims, testJwtSecret, { algorithm: 'HS512' }),
  'a JWT of another type': () => signed({ alg: 'HS256', typ: 'at+jwt' }, claims),
  'a JWT with a critical extension': () => signed({ alg: 'HS256', crit: ['exp'] }, claims),
  'a JWT without expiry': () => signed({ alg: 'HS256' }, { sub: 'superadmin', role: 'superadmin', iat: claims.iat }),
  'a JWT that has expired': () => jwt.sign({ ...claims, exp: claims.iat + 60 }, testJwtSecret),
  'a JWT that names a token': () => jwt.sign({ ...claims, sub: idOf(token('admin')), role: 'admin' }, testJwtSecret),
  'a JWT signed as HS256 over alg none': () => signed({ alg: 'none' }, claims),
};

function signed(header: unknown, payload: unknown): string {
  const content = `${encode(header)}.${encode(payload)}`;
  return `${content}.${createHmac('sha256', testJwtSecret).update(content).digest('base64url')}`;
}

/** Asks without a body: whoever may is told what is missing, and nothing happens. */
function ask(
  name: OperationName,
  value: string | null,
  { session = 'mine', path = operations[name].path }: { readonly session?: string; readonly path?: string } = {},
): Promise<ApiAnswer> {
  const { method, example } = operations[name];
  const url = path.replace(':id', session).replace(/:(\w+)/g, (_, key: string) => {
    const params: Readonly<Record<string, unknown>> = example.params;
    return encodeURIComponent(String(params[key]));
  });
  return api.client.call(method, `/api/v1${url}`, { token: value });
}

const typeOf = (answer: ApiAnswer): unknown => at(answer.json, 'error', 'type');
const isRefused = (answer: ApiAnswer): boolean =>
  ['unauthorized', 'forbidden', 'session_not_found'].includes(String(typeOf(answer)));
const isOfSession = (operation: Operation): boolean => operation.path.startsWith('/sessions/:id');

for (const name of operationNames) {
  const operation: Operation = operations[name];
  describe(`${name} (${operation.scope})`, () => {
    test('lets nobody in without a token that works', async () => {
      const wrong = [...Object.values(forged).map((make) => make()), token('expired'), token('revoked')];
      for (const path of pathsOf(operation)) {
        for (const value of wrong) {
          const answer = await ask(name, value, { path });
          assert.equal(answer.status, 401, `${path} ${value}: ${answer.text}`);
          assert.equal(typeOf(answer), 'unauthorized');
          assert.deepEqual(keysOf(answer.json), ['success', 'message', 'error']);
        }
      }
      const elsewhere = await ask(name, token('elsewhere'));
      assert.equal(elsewhere.status, 403);
      assert.match(elsewhere.text, /may not be used from the address 127\.0\.0\.1/);
    });

    test('is carried out for roles that may, and for no others', async () => {
      for (const role of ['viewer', 'operator'] satisfies Role[]) {
        const scopes: readonly string[] = scopesOf[role];
        const may = scopes.includes(operation.scope);
        const answer = await ask(name, token(role));
        if (may) {
          // A session that is deleted by this is made again.
          assert.equal(isRefused(answer), false, `${role}: ${answer.text}`);
          await api.client.call('POST', '/api/v1/sessions', { body: { id: 'mine', auto_connect: false } });
          await regrant();
        } else {
          assert.equal(answer.status, 403, `${role}: ${answer.text}`);
          assert.equal(typeOf(answer), 'forbidden');
        }
      }
    });

    test('shows nothing of a session to holders of tokens for others', async () => {
      for (const role of ['viewer', 'operator'] satisfies Role[]) {
        const scopes: readonly string[] = scopesOf[role];
        const answer = await ask(name, token(`other ${role}`));
        if (narrowed.includes(name)) {
          assert.equal(answer.status, 200);
          assert.doesNotMatch(answer.text, /"mine"/);
          continue;
        }
        const isHidden = isOfSession(operation) && scopes.includes(operation.scope);
        for (const path of pathsOf(operation)) {
          const byPath = await ask(name, token(`other ${role}`), { path });
          assert.equal(byPath.status, isHidden ? 404 : 403, `${role}: ${byPath.text}`);
          assert.equal(typeOf(byPath), isHidden ? 'session_not_found' : 'forbidden');
        }
      }
    });
  });
}

/** The grants of a session end with it. */
async function regrant(): Promise<void> {
  for (const role of ['viewer', 'operator']) {
    const path = `/api/v1/tokens/${idOf(token(role))}`;
    const answer = await api.client.call('PATCH', path, { body: { sessions: ['mine'] } });
    assert.equal(answer.status, 200, answer.text);
  }
}

test('an admin may do everything', async () => {
  for (const name of operationNames) {
    const answer = await ask(name, token('admin'));
    assert.equal(isRefused(answer), false, `${name}: ${answer.text}`);
    await api.client.call('POST', '/api/v1/sessions', { body: { id: 'mine', auto_connect: false } });
  }
});

test('whoever asks for a session that is not there, or is of somebody else, gets the same answer', async () => {
  const [hidden, absent] = await Promise.all([
    ask('getSession', token('other operator'), { session: 'mine' }),
    ask('getSession', token('other operator'), { session: 'nowhere' }),
  ]);
  const withoutId = ({ text }: ApiAnswer): string => text.replace(/req_\w+/, '');
  assert.equal(withoutId(hidden), withoutId(absent));
});

test('operations outside of sessions are for admins, or answer with what the caller may see', () => {
  const others = operationNames.filter((name) => !isOfSession(operations[name]) && operations[name].scope !== 'admin');
  assert.deepEqual(others, narrowed);
});
