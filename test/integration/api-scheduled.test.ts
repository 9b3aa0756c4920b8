import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { examplePng } from '../../src/contract/schemas.ts';
import { at, keysOf, type ApiAnswer } from '../support/api-client.ts';
import { startApi, type ApiUnderTest } from '../support/api-under-test.ts';
import { errorOf } from '../support/paired-gateway.ts';
import { preparedImage } from '../support/store-fixtures.ts';

let api: ApiUnderTest;
let id: SessionId;
const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
const unixSeconds = (iso: string): number => Math.floor(new Date(iso).getTime() / 1000);

before(async () => {
  api = await startApi();
  const parsed = parseSessionId('shop');
  assert.ok(parsed !== null);
  id = parsed;
  const created = await api.client.call('POST', '/api/v1/sessions', { body: { id, auto_connect: false } });
  assert.equal(created.status, 201, created.text);
});
after(() => api.close());

const call = (method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
  api.client.call(method, `/api/v1/sessions/shop/messages${path}`, body === undefined ? {} : { body });
const sendText = (body: unknown, key: string): Promise<ApiAnswer> =>
  api.client.call('POST', '/api/v1/sessions/shop/messages/text', { body, headers: { 'idempotency-key': key } });
const schedule = async (change: object = {}): Promise<string> => {
  const answer = await call('POST', '/text', { to: '+1 555 123-4567', text: 'Later', send_at: inAnHour, ...change });
  assert.equal(answer.status, 202, answer.text);
  return String(at(answer.json, 'message_id'));
};
const refusal = (answer: ApiAnswer): unknown[] => [
  answer.status,
  at(answer.json, 'error', 'details', 0, 'field'),
  at(answer.json, 'error', 'details', 0, 'expected'),
];

describe('a send with send_at', () => {
  test('is kept for later although the session is not connected, and nothing is sent', async () => {
    const answer = await call('POST', '/text', { to: '+1 555 123-4567', text: 'Later', send_at: inAnHour });
    assert.equal(answer.status, 202, answer.text);
    assert.match(String(at(answer.json, 'message_id')), /^3EB0[0-9A-F]{18}$/);
    assert.deepEqual(keysOf(answer.json), ['success', 'message_id', 'to', 'timestamp', 'status', 'send_at']);
    assert.deepEqual(
      [at(answer.json, 'to'), at(answer.json, 'status'), at(answer.json, 'send_at')],
      ['15551234567@s.whatsapp.net', 'scheduled', unixSeconds(inAnHour)],
    );
    assert.deepEqual(api.supervisor.sent, []);
  });

  test('can be found by its id, and only the scheduled list names it', async () => {
    const messageId = await schedule({ text: 'Find me' });
    const listed = await call('GET', '/scheduled?limit=200');
    const messages = at(listed.json, 'messages');
    assert.ok(Array.isArray(messages));
    const found: unknown = messages.find((each: unknown) => at(each, 'message_id') === messageId);
    assert.deepEqual(
      [at(found, 'type'), at(found, 'body'), at(found, 'send_at'), at(found, 'media')],
      ['text', 'Find me', unixSeconds(inAnHour), null],
    );
    assert.equal(at((await call('GET', '')).json, 'total'), 0);
    assert.equal(at((await api.client.call('GET', '/api/v1/sessions/shop/chats')).json, 'total'), 0);
    assert.equal(at((await call('GET', `/${messageId}`)).json, 'status'), 'scheduled');
    assert.equal(at((await call('GET', `/${messageId}/timeline`)).json, 'events', 0, 'status'), 'scheduled');
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['without an offset', '2027-01-31T09:30:00', /without an offset/],
    ['in the past', new Date(Date.now() - 61_000).toISOString(), /not in the past/],
    ['more than a year ahead', Math.floor(Date.now() / 1000) + 400 * 86_400, /within a year/],
    ['in milliseconds', Date.now() + 60_000, /milliseconds/],
    ['of another type', true, /string|number/],
  ];
  for (const [how, value, expected] of wrong) {
    test(`${how} is refused, and says why`, async () => {
      const answer = await call('POST', '/text', { to: '15551234567', text: 'x', send_at: value });
      const [status, field, said] = refusal(answer);
      assert.deepEqual([status, field], [400, 'send_at'], answer.text);
      assert.match(String(said), expected);
    });
  }

  test('takes every kind of send', async () => {
    const target = { to: '15551234567', message_id: '3EB0C431C26A1916E07E', send_at: inAnHour };
    const bodies: Readonly<Record<string, object>> = {
      location: { to: target.to, latitude: 1, longitude: 2, send_at: inAnHour },
      poll: { to: target.to, question: '?', options: ['a', 'b'], send_at: inAnHour },
      contact: {
        to: target.to,
        contact: { display_name: 'A', phones: [{ number: '15550001111' }] },
        send_at: inAnHour,
      },
      forward: target,
      edit: { ...target, text: 'y' },
      react: { ...target, emoji: '👍' },
      delete: target,
      pin: target,
    };
    for (const [kind, body] of Object.entries(bodies)) {
      const answer = await call('POST', `/${kind}`, body);
      assert.deepEqual([answer.status, at(answer.json, 'status')], [202, 'scheduled'], `${kind}: ${answer.text}`);
    }
  });

  test('is answered again with its key, also when it has been moved, sent or cancelled meanwhile', async () => {
    const key = 'schedule-1';
    const body = { to: '15551234567', text: 'Once', send_at: inAnHour };
    const first = await sendText(body, key);
    const again = await sendText(body, key);
    assert.deepEqual([again.status, again.text, again.headers['idempotency-replayed']], [202, first.text, 'true']);
    const path = `/scheduled/${String(at(first.json, 'message_id'))}`;
    const later = Math.floor(Date.now() / 1000) + 7200;
    assert.equal((await call('PATCH', path, { send_at: later })).status, 200);
    assert.equal(at((await sendText(body, key)).json, 'send_at'), later);
    await api.store.scheduled.move(id, String(at(first.json, 'message_id')), Date.now());
    await api.store.scheduled.release({ now: Date.now(), ttlMs: 600_000, owned: [], limit: 200 });
    const released = await sendText(body, key);
    assert.deepEqual([released.status, at(released.json, 'status')], [202, 'pending'], released.text);

    const cancelKey = 'schedule-2';
    const second = await sendText(body, cancelKey);
    await call('DELETE', `/scheduled/${String(at(second.json, 'message_id'))}`);
    const gone = await sendText(body, cancelKey);
    assert.deepEqual([gone.status, errorOf(gone)], [404, 'message_not_found']);
  });

  test('finds its first answer although its time has come', async () => {
    const key = 'schedule-3';
    const body = { to: '15551234567', text: 'Soon', send_at: Date.now() / 1000 - 59 };
    const first = await sendText(body, key);
    assert.equal(first.status, 202, first.text);
    // As it is a while later: what was the last minute then is long past.
    const { clock } = api.dependencies;
    const later = await api.another({ clock: { ...clock, now: () => clock.now() + 120_000 } });
    const request = { body, headers: { 'idempotency-key': key } };
    const again = await later.call('POST', '/api/v1/sessions/shop/messages/text', request);
    assert.deepEqual([again.status, again.text], [202, first.text]);
    const other = await later.call('POST', '/api/v1/sessions/shop/messages/text', { body });
    assert.equal(other.status, 400);
  });
});

describe('scheduled media', () => {
  const image = { to: '15551234567', base64: examplePng, send_at: inAnHour };

  test('stays in the spool until it is cancelled', async () => {
    const before = api.dependencies.media.spool.usedBytes;
    const answer = await call('POST', '/image', { ...image, caption: 'Look' });
    assert.equal(answer.status, 202, answer.text);
    await api.dependencies.media.spool.sweep();
    assert.ok(api.dependencies.media.spool.usedBytes > before);
    const listed = await call('GET', '/scheduled?limit=200');
    const messages = at(listed.json, 'messages');
    assert.ok(Array.isArray(messages));
    const found: unknown = messages.find((each: unknown) => at(each, 'body') === 'Look');
    assert.equal(at(found, 'media', 'mimetype'), 'image/png');
    assert.equal((await call('DELETE', `/scheduled/${String(at(found, 'message_id'))}`)).status, 200);
    assert.equal(api.dependencies.media.spool.usedBytes, before);
  });

  test('goes with its session', async () => {
    const before = api.dependencies.media.spool.usedBytes;
    await api.client.call('POST', '/api/v1/sessions', { body: { id: 'brief', auto_connect: false } });
    const answer = await api.client.call('POST', '/api/v1/sessions/brief/messages/image', { body: image });
    assert.equal(answer.status, 202, answer.text);
    assert.ok(api.dependencies.media.spool.usedBytes > before);
    assert.equal((await api.client.call('DELETE', '/api/v1/sessions/brief')).status, 200);
    assert.equal(api.dependencies.media.spool.usedBytes, before);
  });

  test('that was uploaded before must last until then', async () => {
    const prepared = preparedImage({ tag: 'uploaded', content: Buffer.from('content') });
    const expiresAt = Date.now() + 2 * 3_600_000;
    await api.store.media.keepUploaded({ id: 'med_1', sandbox: false, prepared, expiresAt });
    const body = { to: '15551234567', media_id: 'med_1' };
    assert.equal((await call('POST', '/image', { ...body, send_at: inAnHour })).status, 202);
    const tooLate = await call('POST', '/image', { ...body, send_at: Math.floor(expiresAt / 1000) + 60 });
    assert.deepEqual(refusal(tooLate).slice(0, 2), [400, 'media_id'], tooLate.text);
  });
});

describe('a scheduled message', () => {
  test('can be moved, within the same limits', async () => {
    const messageId = await schedule();
    const later = Math.floor(Date.now() / 1000) + 7200;
    const moved = await call('PATCH', `/scheduled/${messageId}`, { send_at: later });
    assert.deepEqual([moved.status, at(moved.json, 'send_at')], [200, later], moved.text);
    const past = await call('PATCH', `/scheduled/${messageId}`, { send_at: '2020-01-01T00:00:00Z' });
    assert.deepEqual(refusal(past).slice(0, 2), [400, 'send_at']);
  });

  test('that is being sent can be neither cancelled nor moved, and one that never was is not found', async () => {
    const messageId = await schedule();
    await api.store.scheduled.move(id, messageId, Date.now());
    await api.store.scheduled.release({ now: Date.now(), ttlMs: 600_000, owned: [], limit: 200 });
    for (const [method, body] of [
      ['DELETE', undefined],
      ['PATCH', { send_at: inAnHour }],
    ] as const) {
      const late = await call(method, `/scheduled/${messageId}`, body);
      assert.deepEqual([late.status, errorOf(late)], [409, 'message_not_scheduled'], late.text);
      const unknown = await call(method, '/scheduled/3EB0000000000000000000', body);
      assert.deepEqual([unknown.status, errorOf(unknown)], [404, 'message_not_found']);
    }
  });

  test('belongs to its session', async () => {
    const messageId = await schedule();
    await api.client.call('POST', '/api/v1/sessions', { body: { id: 'other', auto_connect: false } });
    const path = '/api/v1/sessions/other/messages/scheduled';
    assert.equal(at((await api.client.call('GET', path)).json, 'total'), 0);
    assert.equal((await api.client.call('DELETE', `${path}/${messageId}`)).status, 404);
    assert.equal((await call('DELETE', `/scheduled/${messageId}`)).status, 200);
  });
});
