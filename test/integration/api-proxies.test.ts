import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TrustedProxies } from '../../src/api/auth/trusted-proxies.ts';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { noLimits, startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';

const limits = { ...noLimits, failedLogins: 3 };
let proxied: ApiUnderTest;
let direct: ApiUnderTest;
before(async () => {
  const baseUrl = 'http://127.0.0.1:3451';
  [proxied, direct] = await Promise.all([
    startApi({
      settings: {
        baseUrl,
        limits,
        allowedHosts: ['warden'],
        trustProxy: { tag: 'networks', networks: ['127.0.0.0/8'] },
      },
    }),
    startApi({ settings: { baseUrl, limits } }),
  ]);
});
after(async () => {
  await Promise.all([proxied.close(), direct.close()]);
});

type Headers = Readonly<Record<string, string>>;
const get = (api: ApiUnderTest, path: string, options: { token?: string | null; headers?: Headers } = {}) =>
  api.client.call('GET', path, options);
const from = (address: string): Headers => ({ 'x-forwarded-for': address });

async function createToken(api: ApiUnderTest): Promise<string> {
  const body = { name: 'Office', role: 'admin', sessions: '*', addresses: ['10.0.0.0/8'] };
  return String(at((await api.client.call('POST', '/api/v1/tokens', { body })).json, 'token'));
}

describe('behind a proxy that is trusted', () => {
  test('a token may be used from the addresses of clients that it is for, whatever they make up', async () => {
    const token = await createToken(proxied);
    const path = '/api/v1/sessions';
    assert.equal((await get(proxied, path, { token, headers: from('10.1.2.3') })).status, 200);
    const spoofed = await get(proxied, path, { token, headers: from('10.1.2.3, 203.0.113.9') });
    assert.equal(spoofed.status, 403);
    assert.match(spoofed.text, /from the address 203\.0\.113\.9/);
  });

  test('the audit log names the client', async () => {
    const headers = from('203.0.113.77');
    await proxied.client.call('POST', '/api/v1/sessions', { body: { id: 'seen', auto_connect: false }, headers });
    await eventually(async () => {
      const { text } = await get(proxied, '/api/v1/audit?operation=createSession');
      return text.includes('"address":"203.0.113.77"');
    });
  });

  test('guessing slows its own address down, and no other', async () => {
    const guess = (address: string): Promise<ApiAnswer> =>
      get(proxied, '/api/v1/sessions', { token: 'a-guess', headers: from(address) });
    for (let count = 0; count < 3; count += 1) assert.equal((await guess('203.0.113.1')).status, 401);
    assert.equal((await guess('203.0.113.1')).status, 429);
    assert.equal((await guess('203.0.113.2')).status, 401);
  });

  test('a browser that comes by TLS gets a cookie for TLS only, and is told to stay with it', async () => {
    const logIn = (headers: Headers): Promise<ApiAnswer> =>
      proxied.client.call('POST', '/dashboard/login', {
        token: null,
        raw: new URLSearchParams({ token: testToken }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      });
    const byTls = { 'x-forwarded-proto': 'https', host: 'warden', ...from('203.0.113.5') };
    const secure = await logIn({ ...byTls, origin: 'https://warden' });
    assert.equal(secure.status, 303, secure.text);
    assert.match(secure.headers['set-cookie'] ?? '', /^__Host-warden=.*; Secure$/);
    assert.match(secure.headers['strict-transport-security'] ?? '', /max-age/);
    const cookie = /^([^;]*)/.exec(secure.headers['set-cookie'] ?? '')?.[1] ?? '';
    assert.equal(
      (await get(proxied, '/dashboard/sessions', { token: null, headers: { ...byTls, cookie } })).status,
      200,
    );
    assert.equal((await logIn({ ...byTls, origin: 'http://warden' })).status, 403);
    const plain = await logIn({ host: 'warden', origin: 'http://warden', ...from('203.0.113.5') });
    assert.match(plain.headers['set-cookie'] ?? '', /^warden=(?!.*Secure)/);
    assert.equal(plain.headers['strict-transport-security'], undefined);
  });

  test('nobody is on this machine', async () => {
    assert.equal((await get(proxied, '/dashboard/sessions', { token: null })).status, 303);
  });

  test('names that the operator allows are served, and others are not', async () => {
    for (const [host, status] of [
      ['warden', 200],
      ['WARDEN:3451', 200],
      ['warden.evil.example', 421],
      ['evil@warden', 421],
    ] as const) {
      assert.equal((await get(proxied, '/health', { headers: { host } })).status, status, host);
    }
    assert.equal((await get(direct, '/health', { headers: { host: 'warden' } })).status, 421);
  });
});

describe('without a trusted proxy', () => {
  test('what a request says of where it comes from counts for nothing', async () => {
    const token = await createToken(direct);
    const headers = {
      ...from('10.1.2.3'),
      'x-forwarded-proto': 'https',
      'x-real-ip': '10.1.2.3',
      forwarded: 'for=10.1.2.3',
    };
    const answer = await get(direct, '/api/v1/sessions', { token, headers });
    assert.equal(answer.status, 403);
    assert.match(answer.text, /from the address 127\.0\.0\.1/);
    assert.equal(answer.headers['strict-transport-security'], undefined);
    for (let count = 0; count < 3; count += 1) {
      const guessed = await get(direct, '/api/v1/sessions', { token: 'a-guess', headers: from(`203.0.113.${count}`) });
      assert.equal(guessed.status, 401);
    }
    const next = await get(direct, '/api/v1/sessions', { token: 'a-guess', headers: from('203.0.113.99') });
    assert.equal(next.status, 429);
  });
});

describe('connections', () => {
  /** Whether a new connection is answered while two are held. */
  async function isThirdServed(trustProxy: TrustedProxies): Promise<boolean> {
    const api = await startApi({ limits: { maxConnectionsPerAddress: 2, trustProxy } });
    const { port } = new URL(api.baseUrl);
    const held = await Promise.all([1, 2].map(() => open(Number(port))));
    try {
      const answer = await api.client
        .raw('GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
        .catch(() => '');
      return answer.startsWith('HTTP/1.1 200');
    } finally {
      for (const socket of held) socket.destroy();
      await eventually(async () => (await api.client.call('GET', '/health')).status === 200);
      await api.close();
    }
  }
  const open = (port: number): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
    });

  test('of one address are limited, so that others find some left, and those of a trusted proxy are not', async () => {
    assert.equal(await isThirdServed({ tag: 'none' }), false);
    assert.equal(await isThirdServed({ tag: 'networks', networks: ['127.0.0.1'] }), true);
  });
});
