import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { at, type ApiAnswer, type ApiRequest } from '../support/api-client.ts';
import { startApi, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';

let api: ApiUnderTest;
before(async () => {
  // Far shorter than the long polls below: the limit is about requests, never about answers.
  api = await startApi({ limits: { requestTimeoutMs: 300, headersTimeoutMs: 200 } });
});
after(() => api.close());

const call = (method: string, path: string, options: ApiRequest = {}): Promise<ApiAnswer> =>
  api.client.call(method, `/api/v1/sessions/${path}`, options);

async function create(name: string, options: object = {}): Promise<SessionId> {
  const id = parseSessionId(name);
  if (id === null) throw new Error('not a session id');
  const answer = await api.client.call('POST', '/api/v1/sessions', { body: { id, auto_connect: false, ...options } });
  assert.equal(answer.status, 201, answer.text);
  return id;
}

const offer = (code: string, attempt = 1) => ({ code, attempt, expiresAt: Date.now() + 60_000 });
const first = 'https://wa.me/settings/linked_devices#2@first,noise,identity,secret,1';
const second = 'https://wa.me/settings/linked_devices#2@second,noise,identity,secret,1';

describe('the QR code', () => {
  test('is answered as JSON with the picture in it', async () => {
    const id = await create('qr-json');
    api.supervisor.show(id, 'waiting_for_qr', { state: 'waiting_for_qr', qr: offer(first) });
    const { status, json, headers } = await call('GET', 'qr-json/qr');
    assert.equal(status, 200);
    assert.equal(at(json, 'qr'), first);
    assert.deepEqual(at(json, 'qr_codes'), [first]);
    assert.match(String(at(json, 'qr_image')), /^data:image\/png;base64,iVBORw0KGgo/);
    assert.equal(at(json, 'qr_code'), at(json, 'qr_image'));
    assert.ok(Number(at(json, 'timeout_seconds')) > 55);
    assert.equal(headers['cache-control'], 'no-store');
    assert.match(headers['vary'] ?? '', /Accept/);
  });

  test('is answered as a picture to whoever prefers one', async () => {
    const id = await create('qr-picture');
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(first) });
    const accept = (value: string) => call('GET', 'qr-picture/qr', { headers: { accept: value } });
    const png = await accept('image/png');
    assert.equal(png.headers['content-type'], 'image/png');
    assert.match(png.text, /PNG/);
    assert.equal(png.headers['cache-control'], 'no-store');
    const svg = await accept('image/svg+xml');
    assert.equal(svg.headers['content-type'], 'image/svg+xml');
    assert.match(svg.text, /^<svg /);
    assert.match((await accept('image/avif,image/webp,image/*;q=0.9')).headers['content-type'] ?? '', /^image\//);
    for (const value of [
      '*/*',
      'application/json',
      'text/html, */*;q=0.1',
      'text/plain',
      'image/png;q=0.1, application/json',
    ]) {
      assert.match((await accept(value)).headers['content-type'] ?? '', /^application\/json/, value);
    }
  });

  test('is waited for: the request is held until there is one, far longer than a request may take to arrive', async () => {
    const id = await create('qr-wait');
    api.supervisor.show(id, 'connecting', { state: 'connecting' });
    const answer = call('GET', 'qr-wait/qr?wait=20');
    await eventually(() => api.supervisor.listenerCount() === 1);
    const held = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 1000, 'held'))]);
    assert.equal(held, 'held');
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(first) });
    assert.equal(at((await answer).json, 'qr'), first);
    assert.equal(api.supervisor.listenerCount(), 0);
  });

  test('is held until it is another than the one the caller has', async () => {
    const id = await create('qr-after');
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(first) });
    const answer = call('GET', `qr-after/qr?wait=20&after=${encodeURIComponent(first)}`);
    await eventually(() => api.supervisor.listenerCount() === 1);
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(first) });
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(second, 2) });
    assert.equal(at((await answer).json, 'qr'), second);
    const same = await call('GET', `qr-after/qr?wait=0.2&after=${encodeURIComponent(second)}`);
    assert.equal(at(same.json, 'qr'), second, 'when the time is up the code that is still valid is answered');
  });

  test('ends its wait when the session is paired, and when it is deleted', async () => {
    const id = await create('qr-paired');
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(first) });
    const answer = call('GET', `qr-paired/qr?wait=20&after=${encodeURIComponent(first)}`);
    await eventually(() => api.supervisor.listenerCount() === 1);
    api.supervisor.show(id, 'connecting', { isPaired: true });
    assert.equal(at((await answer).json, 'error', 'type'), 'already_paired');

    const doomed = await create('qr-doomed');
    api.supervisor.show(doomed, 'connecting');
    const waiting = call('GET', 'qr-doomed/qr?wait=20');
    await eventually(() => api.supervisor.listenerCount() === 1);
    await api.store.sessions.delete(doomed);
    api.supervisor.show(doomed, 'disconnected');
    assert.equal((await waiting).status, 404);
  });

  test('is not waited for any more when the caller has gone', async () => {
    const id = await create('qr-gone');
    api.supervisor.show(id, 'connecting');
    const { port } = new URL(api.baseUrl);
    const { request } = await import('node:http');
    const leaving = request({
      port,
      path: '/api/v1/sessions/qr-gone/qr?wait=60',
      headers: { 'x-api-key': 'a-superadmin-token-for-tests' },
    });
    leaving.on('error', () => undefined);
    leaving.end();
    await eventually(() => api.supervisor.listenerCount() === 1);
    leaving.destroy();
    await eventually(() => api.supervisor.listenerCount() === 0);
  });

  test('is refused with the reason when none will come', async () => {
    const id = await create('qr-none');
    const stopped = await call('GET', 'qr-none/qr?wait=20');
    assert.equal(stopped.status, 409);
    assert.equal(at(stopped.json, 'error', 'type'), 'not_pairing');
    assert.match(String(at(stopped.json, 'error', 'message')), /connect/);
    api.supervisor.show(id, 'connected', { isPaired: true });
    assert.equal(at((await call('GET', 'qr-none/qr')).json, 'error', 'type'), 'already_paired');
    api.supervisor.show(id, 'connecting');
    const late = await call('GET', 'qr-none/qr?wait=0.2');
    assert.equal(at(late.json, 'error', 'type'), 'not_pairing');
    assert.equal((await call('GET', 'qr-none/qr?wait=61')).status, 400);
  });
});

describe('the pair code', () => {
  test('is answered on both routes, for a number in either field', async () => {
    const id = await create('code');
    api.supervisor.show(id, 'waiting_for_pair_code');
    for (const [path, body] of [
      ['pair', { phone: '+1 555 000-1111' }],
      ['pair-code', { phone_number: '15550001111', custom_code: 'abcd-1234' }],
    ] as const) {
      const { status, json, text } = await call('POST', `code/${path}`, { body });
      assert.equal(status, 200, text);
      assert.equal(at(json, 'code'), 'ABCD-EFGH');
      assert.equal(at(json, 'phone'), '15550001111');
      assert.equal(at(json, 'status'), 'waiting_for_pair_code');
    }
  });

  test('is refused to a session that is paired', async () => {
    const id = await create('code-paired');
    api.supervisor.show(id, 'connected', { isPaired: true });
    const answer = await call('POST', 'code-paired/pair', { body: { phone: '15550001111' } });
    assert.equal(answer.status, 409);
    assert.equal(at(answer.json, 'error', 'type'), 'already_paired');
  });
});

describe('the sandbox', () => {
  const paired = { phone_number: '15550001111', jid: '15550001111@s.whatsapp.net', lid: '100000000000001@lid' };
  const device = {
    jid: paired.jid,
    lid: paired.lid,
    deviceId: 3,
    phoneNumber: '15550001111',
    pushName: null,
    platform: null,
    appVersion: '2.3000.1',
  };

  test('is closed to sessions that are not made for it', async () => {
    await create('real');
    for (const [method, path, body] of [
      ['POST', 'scan', {}],
      ['GET', 'inbox', undefined],
      ['POST', 'contacts', { phone: '15551234567' }],
      ['DELETE', 'faults', undefined],
      ['GET', 'oracle', undefined],
    ] as const) {
      const answer = await call(method, `real/sandbox/${path}`, body === undefined ? {} : { body });
      assert.equal(answer.status, 409, answer.text);
      assert.equal(at(answer.json, 'error', 'type'), 'not_a_sandbox_session');
    }
  });

  test('scans as soon as there is a code and answers when the session is connected', async () => {
    const id = await create('scan', { sandbox: true });
    api.supervisor.show(id, 'connecting');
    api.sandbox.respond = async () => ({ status: 200, body: { ...paired, secret: 'dropped' } });
    const answer = call('POST', 'scan/sandbox/scan', { body: { phone: '+15550001111' } });
    await eventually(() => api.supervisor.listenerCount() === 1);
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(first) });
    const control = await eventually(() => api.sandbox.calls.find(({ path }) => path === '/phones/scan'));
    assert.deepEqual(control.body, { qr: first, phone: '15550001111' });
    api.supervisor.show(id, 'connecting', { isPaired: true });
    await eventually(() => api.supervisor.listenerCount() === 1);
    api.supervisor.show(id, 'connected', { isPaired: true, device });
    const { status, json } = await answer;
    assert.equal(status, 200);
    assert.deepEqual(json, paired);
  });

  test('scans the next code when the first one has just been replaced', async () => {
    const id = await create('rescan', { sandbox: true });
    api.supervisor.show(id, 'waiting_for_qr', { qr: offer(first) });
    api.sandbox.respond = async ({ body }) => {
      if (at(body, 'qr') === first) {
        api.supervisor.show(id, 'waiting_for_qr', { qr: offer(second, 2) });
        return { status: 422, body: { error: { type: 'unknown_ref', message: 'no such code' } } };
      }
      api.supervisor.show(id, 'connected', { isPaired: true, device });
      return { status: 200, body: paired };
    };
    assert.equal((await call('POST', 'rescan/sandbox/scan', { body: {} })).status, 200);
  });

  test('takes the pair code with or without its dash, and no other', async () => {
    const id = await create('enter', { sandbox: true });
    api.supervisor.show(id, 'waiting_for_pair_code', { pairCode: { ...offer('ABCD-EFGH'), phone: '15550001111' } });
    const wrong = await call('POST', 'enter/sandbox/enter-code', { body: { code: 'WRNG-CODE' } });
    assert.equal(wrong.status, 422);
    assert.equal(at(wrong.json, 'error', 'type'), 'wrong_pair_code');
    api.sandbox.respond = async (request) => {
      assert.deepEqual(request.body, { phone: '15550001111', code: 'ABCDEFGH' });
      api.supervisor.show(id, 'connected', { isPaired: true, device });
      return { status: 200, body: paired };
    };
    assert.equal((await call('POST', 'enter/sandbox/enter-code', { body: { code: 'abcdefgh' } })).status, 200);
    assert.equal((await call('POST', 'enter/sandbox/enter-code', { body: { code: 'abcdefgh' } })).status, 409);
  });

  test('passes everything else on to the account of the session', async () => {
    const id = await create('account', { sandbox: true });
    const early = await call('GET', 'account/sandbox/inbox');
    assert.equal(at(early.json, 'error', 'type'), 'not_paired');
    api.supervisor.show(id, 'connected', { isPaired: true, device });
    const cases = [
      [
        'POST',
        'messages',
        { from: '+15551234567', text: 'Hi' },
        201,
        { message_id: '3AF0' },
        '/accounts/15550001111/messages',
      ],
      [
        'GET',
        'inbox?contact=15551234567&since=5',
        undefined,
        200,
        { messages: [] },
        '/accounts/15550001111/inbox?contact=15551234567&since=5',
      ],
      ['POST', 'receipts', { message_id: '3EB0AA', type: 'read' }, 200, {}, '/accounts/15550001111/receipts'],
      ['POST', 'faults', { fault: 'ban', seconds: 5 }, 200, {}, '/accounts/15550001111/faults'],
      ['DELETE', 'faults', undefined, 200, {}, '/accounts/15550001111/faults'],
    ] as const;
    for (const [method, path, body, status, respond, expected] of cases) {
      api.sandbox.respond = async () => ({ status: 200, body: respond });
      const answer = await call(method, `account/sandbox/${path}`, body === undefined ? {} : { body });
      assert.equal(answer.status, status, answer.text);
      assert.equal(api.sandbox.calls.at(-1)?.path, expected);
    }
  });

  test('tells what the simulator refused, and that it is gone', async () => {
    const body = { message_id: '3EB0AA', type: 'read' };
    api.sandbox.respond = async () => ({
      status: 404,
      body: { error: { type: 'message_not_found', message: 'none' } },
    });
    assert.equal(
      at((await call('POST', 'account/sandbox/receipts', { body })).json, 'error', 'type'),
      'message_not_found',
    );
    api.sandbox.respond = async () => ({ status: 500, body: 'oops' });
    assert.equal(
      at((await call('POST', 'account/sandbox/receipts', { body })).json, 'error', 'type'),
      'sandbox_unavailable',
    );
    api.sandbox.respond = async () => Promise.reject(new Error('ECONNREFUSED'));
    const gone = await call('GET', 'account/sandbox/oracle');
    assert.equal(gone.status, 502);
    assert.doesNotMatch(gone.text, /ECONNREFUSED/);
    api.sandbox.respond = async () => ({ status: 200, body: { handshakes: 'many' } });
    assert.equal((await call('GET', 'account/sandbox/oracle')).status, 502);
  });
});
