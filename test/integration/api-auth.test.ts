import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { at } from '../support/api-client.ts';
import { startApi, testJwtSecret, testToken, type ApiUnderTest } from '../support/api-under-test.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi();
});
after(() => api.close());

const path = '/api/v1/sessions';
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const claims = () => ({ sub: 'superadmin', role: 'superadmin', iat: nowSeconds(), exp: nowSeconds() + 3600 });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(header: unknown, payload: unknown, secret = testJwtSecret): string {
  const content = `${encode(header)}.${encode(payload)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

describe('the superadmin token', () => {
  test('is accepted as configured and as a JWT of the published form, in either header', async () => {
    const token = jwt.sign(claims(), testJwtSecret);
    for (const value of [testToken, token]) {
      assert.equal((await api.client.call('GET', path, { token: value })).status, 200);
      const byKey = await api.client.call('GET', path, { token: null, headers: { 'x-api-key': value } });
      assert.equal(byKey.status, 200);
      const lower = await api.client.call('GET', path, { token: null, headers: { authorization: `bearer ${value}` } });
      assert.equal(lower.status, 200);
    }
  });

  test('may be a minute off the clock, not more', async () => {
    const justExpired = jwt.sign({ ...claims(), exp: nowSeconds() - 30 }, testJwtSecret);
    assert.equal((await api.client.call('GET', path, { token: justExpired })).status, 200);
  });

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const wrong: readonly (readonly [string, () => string])[] = [
    ['wrong', () => 'another-superadmin-token-of-tests'],
    ['a prefix of the right one', () => testToken.slice(0, -1)],
    ['longer than the right one', () => `${testToken}x`],
    ['four thousand letters', () => 'x'.repeat(4200)],
    ['an expired JWT', () => jwt.sign({ ...claims(), exp: nowSeconds() - 120 }, testJwtSecret)],
    ['a JWT from the future', () => jwt.sign({ ...claims(), iat: nowSeconds() + 600 }, testJwtSecret)],
    ['a JWT that is not valid yet', () => jwt.sign({ ...claims(), nbf: nowSeconds() + 600 }, testJwtSecret)],
    ['a JWT of another key', () => jwt.sign(claims(), 'another-jwt-secret-of-more-than-32-bytes')],
    ['a JWT without a signature', () => jwt.sign(claims(), '', { algorithm: 'none' })],
    ['a JWT with alg none and a signature', () => signed({ alg: 'none', typ: 'JWT' }, claims())],
    ['a JWT with alg HS512', () => jwt.sign(claims(), testJwtSecret, { algorithm: 'HS512' })],
    ['a JWT with alg RS256', () => jwt.sign(claims(), privateKey, { algorithm: 'RS256' })],
    ['a JWT of another type', () => signed({ alg: 'HS256', typ: 'at+jwt' }, claims())],
    ['a JWT with a critical extension', () => signed({ alg: 'HS256', crit: ['exp'] }, claims())],
    [
      'a JWT without expiry',
      () => signed({ alg: 'HS256' }, { sub: 'superadmin', role: 'superadmin', iat: nowSeconds() }),
    ],
    ['a JWT of another role', () => jwt.sign({ ...claims(), role: 'user' }, testJwtSecret)],
    ['a JWT of another subject', () => jwt.sign({ ...claims(), sub: 'somebody' }, testJwtSecret)],
    [
      'a JWT with a changed payload',
      () => {
        const [header = '', , signature = ''] = jwt.sign(claims(), testJwtSecret).split('.');
        return `${header}.${encode({ ...claims(), exp: nowSeconds() + 9999 })}.${signature}`;
      },
    ],
    ['two dots', () => '..'],
  ];
  for (const [what, make] of wrong) {
    test(`is refused when it is ${what}`, async () => {
      const answer = await api.client.call('GET', path, { token: make() });
      assert.equal(answer.status, 401, answer.text);
      assert.equal(at(answer.json, 'error', 'type'), 'unauthorized');
      assert.equal(at(answer.json, 'message'), at(answer.json, 'error', 'message'));
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    });
  }

  test('is refused when there is none, or when it stands in the query, a cookie or basic authorization', async () => {
    const basic = Buffer.from(`superadmin:${testToken}`).toString('base64');
    const tries = [
      { path },
      { path: `${path}?token=${testToken}` },
      { path: `${path}?access_token=${testToken}&api_key=${testToken}` },
      { path, headers: { cookie: `token=${testToken}` } },
      { path, headers: { authorization: `Basic ${basic}` } },
      { path, headers: { authorization: testToken } },
      { path, headers: { authorization: 'Bearer' } },
      { path, headers: { 'x-api-key': '' } },
    ];
    for (const { path: where, headers = {} } of tries) {
      const answer = await api.client.call('GET', where, { token: null, headers });
      assert.equal(answer.status, 401, `${where} ${JSON.stringify(headers)}`);
    }
  });

  test('guards every route below /api, also those that are not there, and before a body is read', async () => {
    for (const where of ['/api/v1/nothing', '/api/v1/sessions/x/../y', '/api/v1', '/API/v1/sessions', '/api/']) {
      assert.equal((await api.client.call('GET', where, { token: null })).status, 401, where);
    }
    const raw = 'x'.repeat(400_000);
    const answer = await api.client.call('POST', path, {
      token: null,
      raw,
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 401);
  });
});

describe('every answer', () => {
  test('carries the headers that browsers need to be safe', async () => {
    for (const where of ['/health', path, '/dashboard', '/nothing']) {
      const { headers } = await api.client.call('GET', where);
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/, where);
      assert.doesNotMatch(headers['content-security-policy'] ?? '', /unsafe|upgrade-insecure/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['x-powered-by'], undefined);
      assert.match(headers['strict-transport-security'] ?? '', /max-age/);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });

  test('is not kept by caches when it is about sessions or an error', async () => {
    for (const where of [path, '/api/v1/sessions/unknown', '/nothing']) {
      assert.equal((await api.client.call('GET', where)).headers['cache-control'], 'no-store', where);
    }
  });

  test('has the id that the caller gave, when it is a harmless one', async () => {
    const own = await api.client.call('GET', '/health', { headers: { 'x-request-id': 'trace-1.a_B' } });
    assert.equal(own.headers['x-request-id'], 'trace-1.a_B');
    for (const id of ['a b', 'x'.repeat(65), '<script>']) {
      const answer = await api.client.call('GET', '/health', { headers: { 'x-request-id': id } });
      assert.match(answer.headers['x-request-id'] ?? '', /^req_[0-9A-Z]{26}$/);
    }
  });
});
