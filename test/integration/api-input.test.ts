import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { at, type ApiAnswer, type ApiRequest } from '../support/api-client.ts';
import { startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi();
  const created = await api.client.call('POST', '/api/v1/sessions', { body: { id: 'known', auto_connect: false } });
  assert.equal(created.status, 201, created.text);
});
after(() => api.close());

/** Every failure has the envelope, whatever caused it. */
function assertEnvelope(answer: ApiAnswer, status: number, type: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  assert.equal(at(answer.json, 'success'), false);
  assert.equal(at(answer.json, 'error', 'code'), status);
  assert.equal(at(answer.json, 'error', 'type'), type);
  assert.equal(typeof at(answer.json, 'error', 'message'), 'string');
  assert.equal(at(answer.json, 'error', 'request_id'), answer.headers['x-request-id']);
  assert.ok(Array.isArray(at(answer.json, 'error', 'details')));
  assert.equal(at(answer.json, 'error', 'retryable'), status === 503);
}

const fieldsOf = (answer: ApiAnswer): readonly unknown[] => {
  const details = at(answer.json, 'error', 'details');
  return Array.isArray(details) ? details.map((detail: unknown) => String(at(detail, 'field'))).toSorted() : [];
};

const post = (path: string, options: ApiRequest): Promise<ApiAnswer> =>
  api.client.call('POST', `/api/v1${path}`, options);
const json = { 'content-type': 'application/json' };

describe('a request that is wrong', () => {
  const wrongFields: readonly (readonly [string, string, unknown, readonly string[]])[] = [
    [
      'types',
      '/sessions',
      { id: 5, name: true, sandbox: 'yes', memory_cap_mb: 'much' },
      ['id', 'memory_cap_mb', 'name', 'sandbox'],
    ],
    ['unknown keys', '/sessions', { idd: 'a', nested: {} }, ['idd', 'nested']],
    [
      'nested fields',
      '/sessions',
      { webhook: { url: 'ftp://x', events: ['message', 'nope'], x: 1 } },
      ['webhook.events[1]', 'webhook.url', 'webhook.x'],
    ],
    ['an id that is a path', '/sessions', { id: '../etc/passwd' }, ['id']],
    [
      'a webhook secret that pretends',
      '/sessions',
      { webhook: { url: 'https://a.example', secret: 'whsec_***not base64***' } },
      ['webhook.secret'],
    ],
    ['a recipient that is none', '/sessions/known/messages/text', { to: 'hello', text: 'x' }, ['to']],
    ['missing fields', '/sessions/known/messages/text', {}, ['text', 'to']],
    [
      'a text that is too long',
      '/sessions/known/messages/text',
      { to: '+15551234567', text: 'x'.repeat(65_537) },
      ['text'],
    ],
    [
      'text that no database stores',
      '/sessions/known/messages/text',
      { to: '+15551234567', text: 'a\u0000b' },
      ['text'],
    ],
    ['half a surrogate pair', '/sessions/known/messages/text', { to: '+15551234567', text: '\ud83d' }, ['text']],
    ['an array for a body', '/sessions', [1, 2], ['body']],
    ['a number for a body', '/sessions', 7, ['body']],
    ['no phone number', '/sessions/known/pair', {}, ['phone']],
    ['a union of forms', '/sessions/known/sandbox/messages', { from: 'x', text: 'hi' }, ['from']],
  ];
  for (const [what, path, body, fields] of wrongFields) {
    test(`is told the field of ${what}`, async () => {
      const answer = await post(path, { body });
      assertEnvelope(answer, 400, 'invalid_request');
      assert.deepEqual(fieldsOf(answer), fields, answer.text);
    });
  }

  test('is told what was expected and what came, but never a secret', async () => {
    const answer = await post('/sessions', {
      body: { id: 'a b', webhook: { url: 'https://a.example', secret: 'short' } },
    });
    assertEnvelope(answer, 400, 'invalid_request');
    assert.match(answer.text, /"received":"\\"a b\\""/);
    assert.doesNotMatch(answer.text, /short/);
  });

  const malformed: readonly (readonly [string, string])[] = [
    ['half an object', '{"id": "x"'],
    ['a bare word', 'hello'],
    ['a trailing comma', '{"id": "x",}'],
    ['a prototype to pollute', '{"__proto__": {"isAdmin": true}}'],
    ['a constructor to pollute', '{"constructor": {"prototype": {"isAdmin": true}}}'],
  ];
  for (const [what, raw] of malformed) {
    test(`is refused when its JSON is ${what}`, async () => {
      const answer = await post('/sessions', { raw, headers: json });
      assert.equal(answer.status, 400);
      assert.ok(['invalid_json', 'invalid_request'].includes(String(at(answer.json, 'error', 'type'))), answer.text);
      assert.equal(Reflect.get({}, 'isAdmin'), undefined);
    });
  }

  test('is refused when its JSON is null', async () => {
    const answer = await post('/sessions/known/messages/text', { raw: 'null', headers: json });
    assert.equal(answer.status, 400, answer.text);
  });

  test('is refused when it nests without end', async () => {
    const raw = `{"name": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const answer = await post('/sessions', { raw, headers: json });
    assertEnvelope(answer, 400, 'invalid_request');
    assert.deepEqual(fieldsOf(answer), ['name']);
  });

  test('is told only so many of ten thousand wrong fields', async () => {
    const body = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, 1]));
    const answer = await post('/sessions', { body });
    assertEnvelope(answer, 400, 'invalid_request');
    assert.equal(fieldsOf(answer).length, 50);
  });

  test('is refused when its body is huge, announced or not', async () => {
    const raw = JSON.stringify({ name: 'x'.repeat(300_000) });
    assertEnvelope(await post('/sessions', { raw, headers: json }), 413, 'payload_too_large');
    const chunks = 'x'.repeat(300_000);
    const chunked = await api.client.raw(
      `POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${testToken}\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${chunks.length.toString(16)}\r\n${chunks}\r\n0\r\n\r\n`,
    );
    assert.match(chunked, /^HTTP\/1\.1 413 /);
    assert.match(chunked, /payload_too_large/);
  });

  test('is refused when a small gzip body unpacks to a huge one, and served when it does not', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' };
    const bomb = gzipSync(JSON.stringify({ name: 'x'.repeat(5_000_000) }));
    assertEnvelope(await post('/sessions', { raw: bomb, headers }), 413, 'payload_too_large');
    const small = gzipSync(JSON.stringify({ id: 'zipped', auto_connect: false }));
    assert.equal((await post('/sessions', { raw: small, headers })).status, 201);
    assertEnvelope(await post('/sessions', { raw: 'no gzip', headers }), 400, 'invalid_json');
  });

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
  ]) {
    test(`is refused when its content type is ${type}`, async () => {
      const answer = await post('/sessions', { raw: '{"id": "x"}', headers: { 'content-type': type } });
      assertEnvelope(answer, 415, 'unsupported_media_type');
    });
  }

  test('is refused when its body has no content type or a character set that nobody reads', async () => {
    assertEnvelope(await post('/sessions', { raw: '{"id": "x"}' }), 415, 'unsupported_media_type');
    const headers = { 'content-type': 'application/json', 'content-encoding': 'snappy' };
    assertEnvelope(await post('/sessions', { raw: '{"id": "x"}', headers }), 415, 'unsupported_media_type');
  });

  test('may leave out a body where nothing is required', async () => {
    const answer = await post('/sessions/known/connect', {});
    assert.equal(answer.status, 200, answer.text);
    const empty = await post('/sessions/known/connect', { raw: '', headers: json });
    assert.equal(empty.status, 200, empty.text);
  });
});

describe('a path that is wrong', () => {
  const strange = [
    '..%2f..%2fetc',
    '%2e%2e',
    '.hidden',
    'a%20b',
    'a%00b',
    'x'.repeat(300),
    '%',
    '%zz',
    '%c0%ae',
    'a;b',
    "a'b",
    '-x',
  ];
  for (const id of strange) {
    test(`with the session id ${id.slice(0, 20)} is refused, never an internal error`, async () => {
      for (const [method, rest] of [
        ['GET', ''],
        ['GET', '/qr'],
        ['DELETE', ''],
        ['POST', '/connect'],
      ] as const) {
        const answer = await api.client.call(method, `/api/v1/sessions/${id}${rest}`);
        assertEnvelope(answer, 400, 'invalid_request');
        assert.deepEqual(fieldsOf(answer), ['id']);
      }
    });
  }

  for (const path of [
    '/api/v1/sessions/../../etc/passwd',
    '/api/v1/sessions/../x',
    '/../../etc/passwd',
    '/assets/..%2f..%2fpackage.json',
    '/assets/../package.json',
    '/nothing',
    '/api/v1/nothing',
    '/api/v2/sessions',
    '/api',
    '/api/v1//sessions',
    '//api/v1/sessions',
    '/API/v1/sessions',
    '/swagger-ui/assets/5/..%2fpackage.json',
    '/assets/__proto__',
    '/x/swagger-ui',
  ]) {
    test(`such as ${path} is not there`, async () => {
      assertEnvelope(await api.client.call('GET', path), 404, 'route_not_found');
    });
  }

  test('names a session that does not exist', async () => {
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/status'],
      ['GET', '/qr'],
      ['GET', '/device'],
      ['GET', '/webhooks'],
      ['POST', '/connect'],
      ['DELETE', ''],
    ] as const) {
      assertEnvelope(await api.client.call(method, `/api/v1/sessions/unknown${rest}`), 404, 'session_not_found');
    }
    const send = await post('/sessions/unknown/messages/text', { body: { to: '+15551234567', text: 'x' } });
    assertEnvelope(send, 404, 'session_not_found');
  });

  test('is told the methods that it has', async () => {
    const wrong = await api.client.call('PUT', '/api/v1/sessions');
    assertEnvelope(wrong, 405, 'method_not_allowed');
    assert.deepEqual((wrong.headers['allow'] ?? '').split(', ').toSorted(), ['GET', 'HEAD', 'OPTIONS', 'POST']);
    assertEnvelope(await api.client.call('DELETE', '/api/v1/sessions/known/qr'), 405, 'method_not_allowed');
    assertEnvelope(await api.client.call('GET', '/api/v1/sessions/known/connect'), 405, 'method_not_allowed');
    assertEnvelope(await api.client.call('POST', '/health', { token: null }), 405, 'method_not_allowed');
    assertEnvelope(await api.client.call('PROPFIND', '/api/v1/sessions/known'), 405, 'method_not_allowed');
  });

  test('answers OPTIONS with its methods and HEAD without a body', async () => {
    const options = await api.client.call('OPTIONS', '/api/v1/sessions/known');
    assert.equal(options.status, 204);
    assert.match(options.headers['allow'] ?? '', /DELETE/);
    const head = await api.client.call('HEAD', '/api/v1/sessions/known');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
  });

  for (const query of [
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1&limit=2',
    'cursor=forged',
    'cursor=%00',
    'nope=1',
    '__proto__=1',
    'limit[]=1',
  ]) {
    test(`is refused with the query ${query}`, async () => {
      const answer = await api.client.call('GET', `/api/v1/sessions?${query}`);
      assertEnvelope(answer, 400, 'invalid_request');
    });
  }
});

describe('a connection that does not speak HTTP', () => {
  test('is told so in the envelope', async () => {
    const answer = await api.client.raw('HELLO\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /"type":"invalid_request"/);
  });

  test('is refused when its headers are too large', async () => {
    const answer = await api.client.raw(
      `GET /health HTTP/1.1\r\nHost: localhost\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`,
    );
    assert.match(answer, /too large/);
  });

  test('is refused when it names a host that is not ours, or none', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', 'evil@localhost', 'localhost:99999999', '']) {
      const answer = await api.client.call('GET', '/health', { headers: { host } });
      assertEnvelope(answer, 421, 'misdirected_request');
    }
    for (const host of [
      'localhost:3451',
      '127.0.0.1',
      '[::1]:3451',
      '192.168.1.20:3451',
      'warden.example',
      'WARDEN.example:443',
    ]) {
      assert.equal((await api.client.call('GET', '/health', { headers: { host } })).status, 200, host);
    }
    assert.match(await api.client.raw('GET /health HTTP/1.0\r\n\r\n'), /misdirected_request/);
  });
});
