import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { WardenError } from '../../src/contract/errors.ts';
import { at, keysOf, type ApiAnswer } from '../support/api-client.ts';
import { startApi, type ApiUnderTest } from '../support/api-under-test.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi();
});
after(() => api.close());

const call = (method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
  api.client.call(method, `/api/v1${path}`, body === undefined ? {} : { body });

function id(text: string): SessionId {
  const parsed = parseSessionId(text);
  if (parsed === null) throw new Error('not a session id');
  return parsed;
}

const device = {
  jid: '15550001111@s.whatsapp.net',
  lid: '100000000000001@lid',
  deviceId: 3,
  phoneNumber: '15550001111',
  pushName: 'Support',
  platform: 'android',
  appVersion: '2.3000.1',
};

describe('a session', () => {
  test('is created with an id of its own, or with a generated one, and starts at once', async () => {
    const named = await call('POST', '/sessions', { id: 'first', name: ' First ', sandbox: true, memory_cap_mb: 128 });
    assert.equal(named.status, 201, named.text);
    assert.equal(at(named.json, 'id'), 'first');
    assert.equal(at(named.json, 'name'), 'First');
    assert.equal(at(named.json, 'sandbox'), true);
    assert.equal(at(named.json, 'session', 'id'), 'first');
    assert.equal(at(named.json, 'webhook'), undefined);
    assert.ok(api.supervisor.calls.includes('connect first'));
    const generated = await call('POST', '/sessions', {});
    assert.match(String(at(generated.json, 'id')), /^s-[0-9a-z]{26}$/);
    const passive = await call('POST', '/sessions', { id: 'passive', auto_connect: false });
    assert.equal(passive.status, 201);
    assert.ok(!api.supervisor.calls.includes('connect passive'));
    assert.equal((await api.store.sessions.get(id('passive')))?.desired, 'stopped');
  });

  test('is created together with its webhook, whose secret is shown this once', async () => {
    const webhook = { url: 'http://127.0.0.1:9/hook', events: ['message', 'receipt'] };
    const created = await call('POST', '/sessions', { id: 'hooked', auto_connect: false, webhook });
    assert.equal(created.status, 201, created.text);
    assert.match(String(at(created.json, 'webhook', 'secret')), /^whsec_[A-Za-z0-9+/]{43}=$/);
    const listed = await call('GET', '/sessions/hooked/webhooks');
    assert.equal(at(listed.json, 'total'), 1);
    assert.equal(at(listed.json, 'webhooks', 0, 'id'), at(created.json, 'webhook', 'id'));
    assert.ok(!listed.text.includes(String(at(created.json, 'webhook', 'secret'))) && !listed.text.includes('whsec_'));
  });

  test('cannot be created twice', async () => {
    await call('POST', '/sessions', { id: 'twice', auto_connect: false });
    const second = await call('POST', '/sessions', { id: 'twice' });
    assert.equal(second.status, 409);
    assert.equal(at(second.json, 'error', 'type'), 'session_exists');
  });

  test('is created even when it cannot start, and says why', async () => {
    api.supervisor.onConnect = async () => Promise.reject(new Error('no child today'));
    const created = await call('POST', '/sessions', { id: 'unlucky' });
    assert.equal(created.status, 201);
    // An error that nobody foresaw says nothing of itself to the user.
    const connected = await call('POST', '/sessions/unlucky/connect');
    assert.equal(connected.status, 500);
    assert.doesNotMatch(connected.text, /no child/);
    assert.match(String(at(connected.json, 'error', 'request_id')), /^req_/);
    api.supervisor.onConnect = async () => undefined;
  });

  test('shows its phone, its child and its times in unix seconds', async () => {
    await call('POST', '/sessions', { id: 'shown', auto_connect: false });
    api.supervisor.show(id('shown'), 'connected', { state: 'connected', isPaired: true, device });
    const { json } = await call('GET', '/sessions/shown');
    assert.equal(at(json, 'phone_number'), '15550001111');
    assert.equal(at(json, 'push_name'), 'Support');
    assert.equal(at(json, 'is_logged_in'), true);
    assert.equal(at(json, 'status'), 'connected');
    assert.equal(at(json, 'child', 'last_exit', 'at'), 1_767_225_600);
    const created = Number(at(json, 'created_at'));
    assert.ok(Math.abs(created - Date.now() / 1000) < 60 && Number.isInteger(created));
    const status = await call('GET', '/sessions/shown/status');
    assert.deepEqual(keysOf(status.json), [
      'id',
      'status',
      'status_reason',
      'is_logged_in',
      'phone_number',
      'last_connected_at',
    ]);
    const device200 = await call('GET', '/sessions/shown/device');
    assert.equal(at(device200.json, 'device_id'), 3);
    assert.equal(at(device200.json, 'is_business'), false);
  });

  test('without a phone has no device and cannot log out', async () => {
    await call('POST', '/sessions', { id: 'unpaired', auto_connect: false });
    for (const [method, path] of [
      ['GET', '/device'],
      ['POST', '/logout'],
    ] as const) {
      const answer = await call(method, `/sessions/unpaired${path}`);
      assert.equal(answer.status, 409);
      assert.equal(at(answer.json, 'error', 'type'), 'not_paired');
    }
  });

  test('is changed, field by field', async () => {
    await call('POST', '/sessions', { id: 'changed', name: 'Old', auto_connect: false });
    assert.equal(at((await call('PATCH', '/sessions/changed', { memory_cap_mb: 256 })).json, 'name'), 'Old');
    assert.equal(at((await call('PATCH', '/sessions/changed', { name: 'New' })).json, 'name'), 'New');
    assert.equal(at((await call('PATCH', '/sessions/changed', { name: null })).json, 'name'), null);
    assert.equal((await call('PATCH', '/sessions/changed', { sandbox: true })).status, 400);
  });

  test('connects, disconnects, restarts, logs out and is deleted', async () => {
    await call('POST', '/sessions', { id: 'moved', auto_connect: false });
    assert.equal((await call('POST', '/sessions/moved/connect')).status, 200);
    api.supervisor.show(id('moved'), 'connected', { isPaired: true, device });
    const again = await call('POST', '/sessions/moved/connect');
    assert.equal(again.status, 409);
    assert.equal(at(again.json, 'error', 'type'), 'already_connected');
    for (const action of ['restart', 'disconnect', 'logout']) {
      const answer = await call('POST', `/sessions/moved/${action}`);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(at(answer.json, 'success'), true);
      assert.ok(api.supervisor.calls.includes(`${action} moved`));
    }
    assert.equal((await call('DELETE', '/sessions/moved')).status, 200);
    assert.equal((await call('GET', '/sessions/moved')).status, 404);
    assert.equal((await call('DELETE', '/sessions/moved')).status, 404);
  });

  test('is found by pages', async () => {
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { json, status } = await call('GET', `/sessions?limit=3${cursor}`);
      assert.equal(status, 200);
      const rows = at(json, 'sessions');
      assert.ok(Array.isArray(rows) && rows.length <= 3);
      seen.push(...rows.map((row: unknown) => at(row, 'id')));
      const next = at(json, 'next_cursor');
      cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : '';
    } while (cursor !== '');
    assert.equal(new Set(seen).size, seen.length);
    assert.equal(seen.length, at((await call('GET', '/sessions')).json, 'total'));
  });
});

describe('a webhook', () => {
  test('is registered, listed and deleted', async () => {
    await call('POST', '/sessions', { id: 'crud', auto_connect: false });
    const created = await call('POST', '/sessions/crud/webhooks', {
      url: 'https://a.example/x',
      secret: 'my-own-secret',
      ordered: true,
    });
    assert.equal(created.status, 201, created.text);
    assert.equal(at(created.json, 'secret'), 'my-own-secret');
    assert.deepEqual(at(created.json, 'events'), ['all']);
    assert.equal(at(created.json, 'ordered'), true);
    const twice = await call('POST', '/sessions/crud/webhooks', { url: 'https://a.example/x' });
    assert.equal(twice.status, 409);
    assert.equal(at(twice.json, 'error', 'type'), 'webhook_exists');
    const listed = await call('GET', '/sessions/crud/webhooks');
    assert.equal(at(listed.json, 'total'), 1);
    assert.doesNotMatch(listed.text, /my-own-secret/);
    const webhook = String(at(created.json, 'id'));
    assert.equal((await call('DELETE', `/sessions/hooked/webhooks/${webhook}`)).status, 404);
    assert.equal((await call('DELETE', `/sessions/crud/webhooks/${webhook}`)).status, 200);
    const gone = await call('DELETE', `/sessions/crud/webhooks/${webhook}`);
    assert.equal(gone.status, 404);
    assert.equal(at(gone.json, 'error', 'type'), 'webhook_not_found');
    for (const strange of ['..%2fx', '%00', 'x'.repeat(65), '%zz']) {
      assert.ok([400, 404].includes((await call('DELETE', `/sessions/crud/webhooks/${strange}`)).status), strange);
    }
  });

  for (const url of [
    'nothing',
    'ftp://a.example',
    'http://user:pass@a.example',
    'javascript:alert(1)',
    `https://a.example/${'x'.repeat(2100)}`,
  ]) {
    test(`is refused for the url ${url.slice(0, 30)}`, async () => {
      const answer = await call('POST', '/sessions/crud/webhooks', { url });
      assert.equal(answer.status, 400);
      assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'url');
    });
  }
});

describe('a text', () => {
  before(async () => {
    await call('POST', '/sessions', { id: 'writer', auto_connect: false });
    api.supervisor.show(id('writer'), 'connected', { isPaired: true, device });
  });
  const text = { to: '+1 555 123-4567', text: 'Hello' };

  test('is accepted with an id of WhatsApp Web before it is sent', async () => {
    const answer = await call('POST', '/sessions/writer/messages/text', text);
    assert.equal(answer.status, 200, answer.text);
    assert.match(String(at(answer.json, 'message_id')), /^3EB0[0-9A-F]{18}$/);
    assert.equal(at(answer.json, 'to'), '15551234567@s.whatsapp.net');
    assert.equal(at(answer.json, 'status'), 'sent');
    assert.equal(at(answer.json, 'timestamp'), 1_767_225_600);
    const accepted = await api.store.messages.listAccepted(id('writer'));
    assert.equal(accepted[0]?.id, at(answer.json, 'message_id'));
  });

  test('is answered with 202 while WhatsApp has not acknowledged it', async () => {
    const usual = api.supervisor.onSend;
    api.supervisor.onSend = async (accepted) => ({ to: accepted.chat, status: 'pending', at: 1_767_225_600_000 });
    const answer = await call('POST', '/sessions/writer/messages/text', text);
    assert.equal(answer.status, 202);
    assert.equal(at(answer.json, 'status'), 'pending');
    api.supervisor.onSend = usual;
  });

  test('may bring its id, once', async () => {
    const own = { ...text, message_id: 'MY-OWN-ID-1' };
    const first = await call('POST', '/sessions/writer/messages/text', own);
    assert.equal(at(first.json, 'message_id'), 'MY-OWN-ID-1');
    const second = await call('POST', '/sessions/writer/messages/text', own);
    assert.equal(second.status, 409);
    assert.equal(at(second.json, 'error', 'type'), 'message_id_taken');
  });

  test('is told what WhatsApp refused, and when to come again', async () => {
    const usual = api.supervisor.onSend;
    api.supervisor.onSend = async () =>
      Promise.reject(
        new WardenError('whatsapp_refused', { details: [{ field: 'whatsapp', expected: 'ack', received: '463' }] }),
      );
    const refused = await call('POST', '/sessions/writer/messages/text', text);
    assert.equal(refused.status, 502);
    assert.equal(at(refused.json, 'error', 'details', 0, 'received'), '463');
    api.supervisor.onSend = async () => Promise.reject(new WardenError('session_busy', { retryAfterMs: 2500 }));
    const busy = await call('POST', '/sessions/writer/messages/text', text);
    assert.equal(busy.status, 503);
    assert.equal(busy.headers['retry-after'], '3');
    assert.equal(at(busy.json, 'error', 'retryable'), true);
    api.supervisor.onSend = usual;
  });

  test('is refused before it is accepted when the session is not connected', async () => {
    const before = (await api.store.messages.listAccepted(id('passive'))).length;
    const answer = await call('POST', '/sessions/passive/messages/text', text);
    assert.equal(answer.status, 503);
    assert.equal(at(answer.json, 'error', 'type'), 'session_not_connected');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.equal((await api.store.messages.listAccepted(id('passive'))).length, before);
  });
});
