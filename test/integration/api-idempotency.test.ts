import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { WardenError } from '../../src/contract/errors.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import type { SendAnswer } from '../../src/contract/ipc.ts';
import { at, type ApiAnswer, type ApiClient } from '../support/api-client.ts';
import { startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';
import { errorOf } from '../support/paired-gateway.ts';

let api: ApiUnderTest;
let id: SessionId;
let keys = 0;
const newKey = (): string => `key-${++keys}`;
const text = { to: '15551234567', text: 'Hello' };

before(async () => {
  api = await startApi();
  const parsed = parseSessionId('shop');
  assert.ok(parsed !== null);
  id = parsed;
  const created = await api.client.call('POST', '/api/v1/sessions', { body: { id, auto_connect: false } });
  assert.equal(created.status, 201, created.text);
});
after(() => api.close());
beforeEach(() => {
  api.supervisor.show(id, 'connected');
  api.supervisor.onSend = async ({ chat }) => ({ to: chat, status: 'sent', at: 1_767_225_600_000 });
});

interface Repeatable {
  readonly client?: ApiClient;
  readonly path?: string;
  readonly body?: unknown;
}

const send = (
  key: string,
  { client = api.client, path = '/sessions/shop/messages/text', body = text }: Repeatable = {},
) => client.call('POST', `/api/v1${path}`, { body, headers: { 'idempotency-key': key } });
const isReplayed = ({ headers }: ApiAnswer): boolean => headers['idempotency-replayed'] === 'true';
const sentWith = (messageId: unknown): number => api.supervisor.sent.filter((each) => each.id === messageId).length;

/** A send whose end the test decides about. */
function hold(): { readonly end: (answer: SendAnswer['status']) => void } {
  const { promise, resolve } = Promise.withResolvers<SendAnswer['status']>();
  api.supervisor.onSend = async ({ chat }) => ({ to: chat, status: await promise, at: 1_767_225_600_000 });
  return { end: resolve };
}

describe('a send with an Idempotency-Key', () => {
  test('is answered again, word for word, and sent once', async () => {
    const key = newKey();
    const first = await send(key);
    const second = await send(`"${key}"`, { body: { text: text.text, to: '+1 555 123-4567' } });
    assert.equal(first.status, 200, first.text);
    assert.equal(isReplayed(first), false);
    assert.deepEqual([second.status, second.text, isReplayed(second)], [200, first.text, true]);
    assert.equal(sentWith(at(first.json, 'message_id')), 1);
  });

  test('is refused when the same key comes with something else, in another process as well', async () => {
    const key = newKey();
    await send(key);
    const other = await api.another();
    for (const client of [api.client, other]) {
      const answer = await send(key, { client, body: { ...text, text: 'Something else' } });
      assert.deepEqual([answer.status, errorOf(answer), isReplayed(answer)], [422, 'idempotency_key_reused', false]);
    }
  });

  test('is another one for another operation, another session and without a key', async () => {
    const key = newKey();
    await api.client.call('POST', '/api/v1/sessions', { body: { id: 'branch', auto_connect: false } });
    const branch = parseSessionId('branch');
    assert.ok(branch !== null);
    api.supervisor.show(branch, 'connected');
    const answers = [
      await send(key),
      await send(key, { path: '/sessions/branch/messages/text' }),
      await send(key, {
        path: '/sessions/shop/messages/poll',
        body: { to: text.to, question: '?', options: ['a', 'b'] },
      }),
      await api.client.call('POST', '/api/v1/sessions/shop/messages/text', { body: text }),
    ];
    for (const answer of answers) assert.deepEqual([answer.status, isReplayed(answer)], [200, false], answer.text);
    assert.equal(new Set(answers.map(({ json }) => at(json, 'message_id'))).size, answers.length);
  });

  test('is carried out exactly once when twenty come at the same time to two processes', async () => {
    const other = await api.another();
    const { end } = hold();
    const key = newKey();
    const before = api.supervisor.sent.length;
    const answers = Promise.all(
      Array.from({ length: 20 }, (_, n) => send(key, { client: n % 2 === 0 ? api.client : other })),
    );
    await eventually(() => api.supervisor.sent.length > before);
    end('sent');
    const all = await answers;
    assert.equal(api.supervisor.sent.length, before + 1);
    const messageId = api.supervisor.sent.at(-1)?.id;
    for (const answer of all) {
      assert.ok(answer.status === 200 || answer.status === 202, answer.text);
      assert.equal(at(answer.json, 'message_id'), messageId);
    }
    assert.equal(all.filter((answer) => !isReplayed(answer)).length, 1);
  });

  test('is told to come back while the first is still under way, and another request with the key is refused', async () => {
    const { end } = hold();
    const key = newKey();
    const before = api.supervisor.sent.length;
    const first = send(key);
    await eventually(() => api.supervisor.sent.length > before);
    const [impatient, different] = await Promise.all([send(key), send(key, { body: { ...text, text: 'No' } })]);
    assert.deepEqual(
      [impatient.status, errorOf(impatient), impatient.headers['retry-after']],
      [409, 'request_in_progress', '1'],
    );
    assert.deepEqual([different.status, errorOf(different)], [422, 'idempotency_key_reused']);
    end('sent');
    assert.equal((await first).status, 200);
    assert.equal(isReplayed(await send(key)), true);
  });

  test('waits for a first that is nearly done', async () => {
    const { end } = hold();
    const key = newKey();
    const before = api.supervisor.sent.length;
    const first = send(key);
    await eventually(() => api.supervisor.sent.length > before);
    const second = send(key);
    end('sent');
    assert.deepEqual([(await second).text, isReplayed(await second)], [(await first).text, true]);
  });

  test('whose outcome was unknown is told where the message is now', async () => {
    api.supervisor.onSend = async ({ chat, acceptedAt }) => ({ to: chat, status: 'pending', at: acceptedAt });
    const key = newKey();
    const first = await send(key);
    assert.deepEqual([first.status, at(first.json, 'status')], [202, 'pending']);
    const messageId = at(first.json, 'message_id');
    const again = async () => {
      const answer = await send(key);
      assert.deepEqual([at(answer.json, 'message_id'), isReplayed(answer)], [messageId, true]);
      return [answer.status, at(answer.json, 'status')];
    };
    assert.deepEqual(await again(), [202, 'pending']);
    await api.database.query(`update messages set status = 'delivered', sent_at = now() where id = $1`, [messageId]);
    assert.deepEqual(await again(), [200, 'delivered']);
    await api.database.query(`update messages set status = 'failed', error_code = 'expired' where id = $1`, [
      messageId,
    ]);
    const expired = await send(key);
    assert.deepEqual([expired.status, errorOf(expired), isReplayed(expired)], [410, 'message_expired', true]);
    assert.equal(sentWith(messageId), 1);
  });

  test('that a gateway accepted before it died becomes no second message in the next one', async () => {
    const { end } = hold();
    const key = newKey();
    const before = api.supervisor.sent.length;
    const lost = send(key);
    const messageId = await eventually(() => api.supervisor.sent[before]?.id);
    const next = await api.another();
    const answer = await send(key, { client: next });
    assert.deepEqual([answer.status, at(answer.json, 'status')], [202, 'pending'], answer.text);
    assert.deepEqual([at(answer.json, 'message_id'), isReplayed(answer)], [messageId, true]);
    assert.equal(sentWith(messageId), 1);
    end('sent');
    await lost;
  });

  test('that failed for good is told so again; one that failed for a while is sent anew with the same key', async () => {
    const failing = (code: 'recipient_not_on_whatsapp' | 'media_upload_failed') => {
      api.supervisor.onSend = async (accepted) => {
        const failure = { at: Date.now(), errorCode: code, event: null };
        await api.store.messages.fail(accepted.session, accepted.id, failure);
        throw new WardenError(code);
      };
    };
    failing('recipient_not_on_whatsapp');
    const key = newKey();
    const first = await send(key);
    const again = await send(key);
    assert.deepEqual([first.status, again.status, isReplayed(again)], [404, 404, true]);
    assert.equal(errorOf(again), 'recipient_not_on_whatsapp');
    assert.notEqual(at(again.json, 'error', 'request_id'), at(first.json, 'error', 'request_id'));

    failing('media_upload_failed');
    const patientKey = newKey();
    assert.equal((await send(patientKey)).status, 502);
    api.supervisor.onSend = async ({ chat }) => ({ to: chat, status: 'sent', at: 1_767_225_600_000 });
    const success = await send(patientKey);
    assert.deepEqual([success.status, isReplayed(success)], [200, false], success.text);
  });

  test('that was refused before anything was accepted leaves the key free', async () => {
    const key = newKey();
    const wrong = await send(key, { body: { to: 'nobody', text: 'x' } });
    assert.equal(wrong.status, 400);
    api.supervisor.show(id, 'disconnected');
    assert.equal((await send(key)).status, 503);
    api.supervisor.show(id, 'connected');
    const answer = await send(key);
    assert.deepEqual([answer.status, isReplayed(answer)], [200, false], answer.text);
  });

  test('does not take a message id that the session has used, and keeps no key for it', async () => {
    const body = { ...text, message_id: 'CHOSEN-0001' };
    assert.equal((await send(newKey(), { body })).status, 200);
    const key = newKey();
    const answer = await send(key, { body });
    assert.deepEqual([answer.status, errorOf(answer)], [409, 'message_id_taken']);
    assert.equal((await send(key)).status, 200);
  });

  test('is remembered as long as IDEMPOTENCY_TTL_H says, and swept then', async () => {
    const key = newKey();
    const first = await send(key);
    await api.database.query(`update idempotency set expires_at = now() - interval '1 second' where key = $1`, [key]);
    const second = await send(key, { body: { ...text, text: 'Tomorrow' } });
    assert.equal(second.status, 200, second.text);
    assert.notEqual(at(second.json, 'message_id'), at(first.json, 'message_id'));
    const [row] = await api.database.query(`select expires_at - now() as left from idempotency where key = $1`, [key]);
    assert.equal(at(row, 'left', 'hours') ?? at(row, 'left', 'days'), 23);
    await api.database.query(`update idempotency set expires_at = now() - interval '1 second' where key = $1`, [key]);
    while (await api.store.idempotency.prune(Date.now()));
    assert.deepEqual(await api.database.query('select key from idempotency where key = $1', [key]), []);
  });

  test('tells files apart by their content, and repeats an upload by it', async () => {
    const upload = async (content: string, key: string) => {
      const form = new FormData();
      form.set('to', text.to);
      form.set('file', new Blob([content], { type: 'text/plain' }), 'note.txt');
      const answer = await fetch(`${api.baseUrl}/api/v1/sessions/shop/messages/document`, {
        method: 'POST',
        headers: { authorization: `Bearer ${testToken}`, 'idempotency-key': key },
        body: form,
      });
      const json: unknown = await answer.json();
      return { status: answer.status, json, replayed: answer.headers.get('idempotency-replayed') };
    };
    const key = newKey();
    const first = await upload('Hello', key);
    const second = await upload('Hello', key);
    assert.deepEqual([first.status, first.replayed], [200, null]);
    assert.deepEqual([second.status, second.replayed, second.json], [200, 'true', first.json]);
    assert.equal((await upload('Hello!', key)).status, 422);
    // The file of the message itself is for the supervisor to release; those of the repetitions are gone.
    assert.equal(api.dependencies.media.spool.usedBytes, 5);
  });
});

describe('a key', () => {
  test('that is malformed is refused before anything is read', async () => {
    for (const key of ['two words', '', `"${'x'.repeat(256)}"`]) {
      const answer = await send(key);
      assert.deepEqual([answer.status, at(answer.json, 'error', 'details', 0, 'field')], [400, 'Idempotency-Key']);
    }
  });

  test('is needed where the operator wants it', async () => {
    const { settings } = api.dependencies;
    const strict = await api.another({
      settings: { ...settings, idempotency: { ...settings.idempotency, isRequired: true } },
    });
    const without = await strict.call('POST', '/api/v1/sessions/shop/messages/text', { body: text });
    assert.deepEqual([without.status, at(without.json, 'error', 'details', 0, 'field')], [400, 'Idempotency-Key']);
    assert.equal((await send(newKey(), { client: strict })).status, 200);
    assert.equal((await strict.call('GET', '/api/v1/sessions')).status, 200);
  });

  test('goes with its session', async () => {
    await api.client.call('POST', '/api/v1/sessions', { body: { id: 'gone', auto_connect: false } });
    const gone = parseSessionId('gone');
    assert.ok(gone !== null);
    api.supervisor.show(gone, 'connected');
    const key = newKey();
    assert.equal((await send(key, { path: '/sessions/gone/messages/text' })).status, 200);
    await api.client.call('DELETE', '/api/v1/sessions/gone');
    assert.deepEqual(await api.database.query('select key from idempotency where key = $1', [key]), []);
  });
});

describe('an operation that is no send', () => {
  const webhook = { path: '/sessions/shop/webhooks', body: { url: 'https://example.com/hook' } };

  test('creates once, and shows the secret in the first answer only; nothing that is kept holds it', async () => {
    const key = newKey();
    const first = await send(key, webhook);
    const second = await send(key, webhook);
    const secret = String(at(first.json, 'secret'));
    assert.match(secret, /^whsec_/);
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(second.text, first.text.replace(JSON.stringify(secret), 'null'));
    assert.equal(isReplayed(second), true);
    const kept = await api.database.query('select outcome::text from idempotency where key = $1', [key]);
    assert.equal(kept.length, 1);
    assert.ok(!JSON.stringify(kept).includes(secret));
    const unkeyed = await api.client.call('POST', `/api/v1${webhook.path}`, { body: webhook.body });
    assert.equal(errorOf(unkeyed), 'webhook_exists');
  });

  test('that failed for good is told so again', async () => {
    const key = newKey();
    await send(newKey(), { ...webhook, body: { url: 'https://example.com/twice' } });
    for (const replayed of [false, true]) {
      const answer = await send(key, { ...webhook, body: { url: 'https://example.com/twice' } });
      assert.deepEqual([answer.status, errorOf(answer), isReplayed(answer)], [409, 'webhook_exists', replayed]);
    }
  });

  test('that was malformed leaves the key free, also where only the handler sees it', async () => {
    const key = newKey();
    const url = 'https://example.com/secret';
    const wrong = await send(key, { ...webhook, body: { url, secret: 'whsec_***' } });
    assert.equal(wrong.status, 400, wrong.text);
    assert.equal((await send(key, { ...webhook, body: { url } })).status, 201);
  });

  test('creates a session once', async () => {
    const key = newKey();
    const request = { path: '/sessions', body: { name: 'Generated id', auto_connect: false } };
    const [first, second] = [await send(key, request), await send(key, request)];
    assert.equal(first.status, 201);
    assert.equal(second.text, first.text);
  });

  test('loses the secrets that an earlier gateway has kept, and nothing else of its answer', async () => {
    const key = newKey();
    const first = await send(key, { ...webhook, body: { url: 'https://example.com/kept' } });
    const outcome = { tag: 'answer', status: 201, body: first.json };
    await api.database.query('update idempotency set outcome = $2 where key = $1', [key, JSON.stringify(outcome)]);
    const migration = await readFile(new URL('../../../sql/0045_no_kept_secrets.sql', import.meta.url), 'utf8');
    for (const statement of [...migration.split(';'), ...migration.split(';')]) {
      if (statement.trim() !== '') await api.database.query(statement);
    }
    const again = await send(key, { ...webhook, body: { url: 'https://example.com/kept' } });
    assert.equal(at(again.json, 'secret'), null);
    assert.deepEqual(again.json, { ...Object(first.json), secret: null });
  });

  test('creates a session with its webhook, whose secret is not in a repetition either', async () => {
    const key = newKey();
    const body = { id: 'hooked', auto_connect: false, webhook: { url: 'https://example.com/hook' } };
    const [first, second] = [
      await send(key, { path: '/sessions', body }),
      await send(key, { path: '/sessions', body }),
    ];
    assert.match(String(at(first.json, 'webhook', 'secret')), /^whsec_/);
    assert.deepEqual([second.status, at(second.json, 'webhook', 'secret')], [201, null]);
    assert.equal(at(second.json, 'webhook', 'id'), at(first.json, 'webhook', 'id'));
  });

  /** As a process leaves it that dies in the middle. */
  const abandon = async (key: string): Promise<void> => {
    const lease = `update idempotency set sealed_outcome = null, lease_until = now() - interval '1 second' where key = $1`;
    await api.database.query(lease, [key]);
  };

  test('whose process died is in progress while its lease runs, and unknown afterwards', async () => {
    const key = newKey();
    const request = { ...webhook, body: { url: 'https://example.com/lost' } };
    await send(key, request);
    await api.database.query(`update idempotency set sealed_outcome = null where key = $1`, [key]);
    const running = await send(key, request);
    assert.deepEqual([running.status, errorOf(running)], [409, 'request_in_progress']);
    await abandon(key);
    const unknown = await send(key, request);
    assert.deepEqual([unknown.status, errorOf(unknown)], [409, 'outcome_unknown']);
    assert.match(String(at(unknown.json, 'error', 'message')), /unknown.*new key/);
  });

  test('that may be repeated is carried out anew when its process died', async () => {
    const key = newKey();
    const request = { path: '/sessions/shop/restart', body: {} };
    assert.equal((await send(key, request)).status, 200);
    await abandon(key);
    const restarts = () => api.supervisor.calls.filter((call) => call === 'restart shop').length;
    const before = restarts();
    const answer = await send(key, request);
    assert.deepEqual([answer.status, isReplayed(answer), restarts()], [200, false, before + 1]);
    assert.equal(isReplayed(await send(key, request)), true);
    assert.equal(restarts(), before + 1);
  });
});
