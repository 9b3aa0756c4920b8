import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { noLimits, startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';
import { SseClient } from '../support/sse-client.ts';

/** So slow that no test sees one come back. */
const three = { perSecond: 0.01, burst: 3 };

const errorOf = (answer: ApiAnswer): unknown => at(answer.json, 'error', 'type');
const get = (api: ApiUnderTest, path: string, token: string | null = testToken): Promise<ApiAnswer> =>
  api.client.call('GET', path, { token });

async function createToken(api: ApiUnderTest, grant: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const body = { name: 'for tests', role: 'operator', sessions: ['shop'], ...grant };
  // By an API on the same store that has no limits.
  const client = await api.another({ settings: { ...api.dependencies.settings, limits: noLimits } });
  await client.call('POST', '/api/v1/sessions', { body: { id: 'shop', auto_connect: false } });
  const answer = await client.call('POST', '/api/v1/tokens', { body });
  assert.equal(answer.status, 201, answer.text);
  return String(at(answer.json, 'token'));
}

describe('requests with a token', () => {
  let api: ApiUnderTest;
  before(async () => {
    api = await startApi({ settings: { limits: { ...noLimits, token: three } } });
  });
  after(() => api.close());

  test('are told how many are left, and refused when there are none, with the time to wait', async () => {
    const token = await createToken(api);
    const answers: ApiAnswer[] = [];
    for (let count = 0; count < 4; count += 1) answers.push(await get(api, '/api/v1/sessions', token));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 429],
    );
    for (const { headers } of answers) assert.equal(headers['ratelimit-policy'], '"token";q=3;w=300');
    assert.deepEqual(
      answers.map(({ headers }) => /^"token";r=(\d);t=\d+$/.exec(headers['ratelimit'] ?? '')?.[1]),
      ['2', '1', '0', '0'],
    );
    const [, , , refused] = answers;
    assert.ok(refused !== undefined);
    assert.equal(errorOf(refused), 'rate_limited');
    assert.equal(at(refused.json, 'error', 'retryable'), true);
    const wait = Number(refused.headers['retry-after']);
    assert.ok(wait > 90 && wait <= 100, `${wait} s`);
  });

  test('leave what others may ask for alone', async () => {
    const [one, other] = [await createToken(api), await createToken(api)];
    for (let count = 0; count < 4; count += 1) await get(api, '/api/v1/sessions', one);
    assert.equal((await get(api, '/api/v1/sessions', one)).status, 429);
    assert.equal((await get(api, '/api/v1/sessions', other)).status, 200);
  });

  test('count for routes that are not there, and before a body is read', async () => {
    const token = await createToken(api);
    for (let count = 0; count < 3; count += 1) assert.equal((await get(api, '/api/v1/nothing', token)).status, 404);
    const raw = 'x'.repeat(400_000);
    const headers = { 'content-type': 'application/json' };
    const answer = await api.client.call('POST', '/api/v1/sessions/shop/messages/text', { token, raw, headers });
    assert.equal(answer.status, 429);
  });

  test('are not used up by event streams', async () => {
    const token = await createToken(api);
    const client = await SseClient.open(`${api.baseUrl}/api/v1/events`, { token });
    try {
      assert.match((await get(api, '/api/v1/sessions', token)).headers['ratelimit'] ?? '', /^"token";r=2;/);
    } finally {
      client.close();
    }
  });
});

describe('requests about a session', () => {
  let api: ApiUnderTest;
  before(async () => {
    api = await startApi({ settings: { limits: { ...noLimits, session: three } } });
  });
  after(() => api.close());

  test('are counted for all tokens together, and not for those who may not see it', async () => {
    const [one, other] = [await createToken(api), await createToken(api, { role: 'viewer' })];
    const client = await api.another({ settings: { ...api.dependencies.settings, limits: noLimits } });
    await client.call('POST', '/api/v1/sessions', { body: { id: 'elsewhere', auto_connect: false } });
    const stranger = await createToken(api, { sessions: ['elsewhere'] });
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await get(api, '/api/v1/sessions/shop', stranger)).status, 404);
    }
    const statuses: number[] = [];
    for (const token of [one, other, one, other]) {
      statuses.push((await get(api, '/api/v1/sessions/shop', token)).status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.equal((await get(api, '/api/v1/sessions/elsewhere', stranger)).status, 200);
    // What it sends is paced, and not counted a second time.
    const sent = await api.client.call('POST', '/api/v1/sessions/shop/messages/text', { token: one, body: {} });
    assert.equal(sent.status, 400);
    assert.equal(sent.headers['ratelimit'], undefined);
  });
});

describe('wrong tokens', () => {
  let api: ApiUnderTest;
  before(async () => {
    api = await startApi({ dashboardAuth: 'login', settings: { limits: { ...noLimits, failedLogins: 10 } } });
  });
  after(() => api.close());

  test('are looked at ten times a minute from an address, in the API and in the login form together', async () => {
    const [known, unseen] = [await createToken(api), await createToken(api)];
    assert.equal((await get(api, '/api/v1/sessions', known)).status, 200);
    const ended = await createToken(api);
    await api.client.call('DELETE', `/api/v1/tokens/${ended.split('_')[1]}`);
    // Who holds a token that has ended does not guess.
    for (let count = 0; count < 12; count += 1) {
      assert.equal((await get(api, '/api/v1/sessions', ended)).status, 401);
    }
    const logIn = (token: string): Promise<ApiAnswer> =>
      api.client.call('POST', '/dashboard/login', {
        token: null,
        raw: new URLSearchParams({ token }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      });
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await get(api, '/api/v1/sessions', `wrong-${count}`)).status, 401);
      assert.equal((await logIn(`wrong-too-${count}`)).status, 401);
    }
    for (const token of ['wrong-again', unseen]) {
      const answer = await get(api, '/api/v1/sessions', token);
      assert.equal(answer.status, 429, answer.text);
      assert.equal(errorOf(answer), 'too_many_attempts');
      assert.ok(Number(answer.headers['retry-after']) > 50);
      assert.equal((await logIn(token)).status, 429);
    }
    // A token that came from here before is not locked out by its neighbours.
    assert.equal((await get(api, '/api/v1/sessions', known)).status, 200);
    assert.equal((await logIn(known)).status, 303);
    // Neither is who has a one-time link.
    const link = await api.client.call('GET', `/dashboard/login?t=${api.dependencies.links.issue('superadmin')}`, {
      token: null,
    });
    assert.equal(link.status, 303);
    assert.equal((await api.client.call('GET', '/dashboard/login?t=guessed', { token: null })).status, 429);
  });
});

describe('browsers', () => {
  let api: ApiUnderTest;
  before(async () => {
    const limits = { ...noLimits, browser: three };
    api = await startApi({ settings: { limits, baseUrl: 'http://127.0.0.1:3451' } });
  });
  after(() => api.close());

  test('have a limit each, signed in; strangers have one by address, and the health check none', async () => {
    const cookies: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const answer = await get(api, '/dashboard/sessions', null);
      assert.equal(answer.status, 200);
      cookies.push(/^([^;]*)/.exec(answer.headers['set-cookie'] ?? '')?.[1] ?? '');
    }
    const stranger = await get(api, '/dashboard/sessions', null);
    assert.equal(stranger.status, 429);
    assert.match(stranger.headers['content-type'] ?? '', /^text\/html/);
    assert.match(stranger.text, /Too many requests from this address/);
    assert.ok(Number(stranger.headers['retry-after']) > 1);
    for (const path of ['/swagger-ui', '/api-docs/openapi.json', '/assets/app.css', '/nothing']) {
      assert.equal((await get(api, path, null)).status, 429, path);
    }
    assert.equal((await get(api, '/health', null)).status, 200);
    // Cookies that are made up are not even looked up then; those that were given out are.
    const headers = { cookie: `warden=${'A'.repeat(43)}` };
    assert.equal((await api.client.call('GET', '/api/v1/sessions', { token: null, headers })).status, 429);
    const [cookie = '', other = ''] = cookies;
    const asBrowser = (path: string, value: string): Promise<ApiAnswer> =>
      api.client.call('GET', path, { token: null, headers: { cookie: value } });
    assert.equal((await asBrowser('/dashboard/sessions', cookie)).status, 200);
    assert.equal((await asBrowser('/api/v1/sessions', cookie)).status, 200);
    assert.equal((await asBrowser('/dashboard/sessions', cookie)).status, 200);
    assert.equal((await asBrowser('/api/v1/sessions', cookie)).status, 429);
    assert.equal((await asBrowser('/api/v1/events', cookie)).status, 200);
    assert.equal((await asBrowser('/api/v1/sessions', other)).status, 200);
  });
});

describe('event streams', () => {
  let api: ApiUnderTest;
  const clients: SseClient[] = [];
  before(async () => {
    api = await startApi({ streams: { most: 20, mostPerToken: 2, mostPerAddress: 3 } });
  });
  after(() => api.close());
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  const listen = async (token: string): Promise<void> => {
    clients.push(await SseClient.open(`${api.baseUrl}/api/v1/events`, { token }));
  };

  test('are limited by token and by address, and come free when they end', async () => {
    const [one, other] = [await createToken(api), await createToken(api)];
    await listen(one);
    await listen(one);
    const third = await get(api, '/api/v1/events', one);
    assert.equal(third.status, 429);
    assert.match(third.text, /2 event streams open already with this token, which is what STREAM_MAX_PER_TOKEN allows/);
    assert.ok(Number(third.headers['retry-after']) >= 1);
    await listen(other);
    const fourth = await get(api, '/api/v1/events', other);
    assert.match(fourth.text, /3 event streams open already from this address, which is what STREAM_MAX_PER_ADDRESS/);
    for (const client of clients.splice(0)) client.close();
    await eventually(async () => {
      const answer = await get(api, '/api/v1/events', one);
      return answer.status === 200;
    });
  });
});

describe('uploads', () => {
  let api: ApiUnderTest;
  const sockets: Socket[] = [];
  before(async () => {
    const uploads = { most: 2, mostPerToken: 1 };
    api = await startApi({ settings: { limits: { ...noLimits, uploads }, bodyLimitBytes: 1024 } });
  });
  after(() => api.close());
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const uploadPath = '/api/v1/sessions/shop/media/upload';
  const boundary = 'between';
  const file = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--${boundary}--\r\n`;

  /** Sends the head of an upload and the beginning of its file, and no more. */
  function begin(token: string): Promise<Socket> {
    const { port } = new URL(api.baseUrl);
    const head = [
      `POST ${uploadPath} HTTP/1.1`,
      `host: 127.0.0.1:${port}`,
      `authorization: Bearer ${token}`,
      `content-type: multipart/form-data; boundary=${boundary}`,
      'content-length: 100000',
    ];
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(`${head.join('\r\n')}\r\n\r\n${file.slice(0, 80)}`, () => resolve(socket));
      });
      sockets.push(socket);
      socket.on('error', reject);
    });
  }
  const upload = (token: string): Promise<ApiAnswer> =>
    api.client.call('POST', uploadPath, {
      token,
      raw: file,
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    });

  test('are received from so many requests at once, of each token and in all', async () => {
    const [one, other, third] = [await createToken(api), await createToken(api), await createToken(api)];
    const slow = await begin(one);
    const refused = await eventually(async () => {
      const answer = await upload(one);
      return answer.status === 429 ? answer : null;
    });
    assert.equal(errorOf(refused), 'rate_limited');
    assert.match(refused.text, /UPLOAD_MAX_PER_TOKEN \(1\)/);
    assert.equal(refused.headers['connection'], 'close');
    assert.equal(refused.headers['retry-after'], '2');
    await begin(other);
    const full = await eventually(async () => {
      const answer = await upload(third);
      return answer.status === 429 ? answer : null;
    });
    assert.match(full.text, /UPLOAD_MAX \(2\)/);
    // Files as base64 take the same room; other bodies do not.
    const base64 = await api.client.call('POST', '/api/v1/sessions/shop/messages/image', {
      token: third,
      body: { to: '491701234567', base64: 'A'.repeat(2000) },
    });
    assert.equal(base64.status, 429);
    const small = await api.client.call('POST', '/api/v1/sessions/shop/messages/image', { token: third, body: {} });
    assert.equal(small.status, 400);
    slow.destroy();
    await eventually(async () => (await upload(one)).status !== 429);
  });
});
