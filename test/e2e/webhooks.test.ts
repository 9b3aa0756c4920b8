import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, untilConnected } from '../support/gateway.ts';
import { answerWith, startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

const contact = '15550100001';
const shortBreaker = {
  WEBHOOK_RETRY_SCHEDULE: '0s,1s,1s,1s,1s,1s,1s,1s',
  WEBHOOK_BREAKER_FAILURES: '3',
  WEBHOOK_BREAKER_PAUSE_MS: '500',
  WEBHOOK_BREAKER_MAX_PAUSE_MS: '1000',
};

let gateway: GatewayUnderTest;
let receiver: HttpReceiver;
/** Secrets that the gateway has handed out; nothing but the answer that did may hold one. */
const secrets = new Set<string>();
const answers: string[] = [];

before(async () => {
  gateway = await GatewayUnderTest.start({ env: shortBreaker });
  await pairedSession(gateway, 'shop');
  await gateway.must(201, '/sessions/shop/sandbox/contacts', { phone: contact, name: 'Alice' });
});
beforeEach(async () => {
  receiver = await startHttpReceiver();
});
after(async () => {
  await gateway.dispose();
});

async function call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
  const answer = await gateway.api.call(method, `/api/v1/sessions/shop${path}`, body === undefined ? {} : { body });
  answers.push(answer.text);
  return answer;
}

async function must(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await call(method, path, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}\n${gateway.output.slice(-2000)}`);
  return answer.json;
}

/** Creates a webhook to the receiver and answers its path. */
async function hook(patch: Readonly<Record<string, unknown>> = {}): Promise<{ path: string; secret: string }> {
  const answer = await gateway.post('/sessions/shop/webhooks', { url: receiver.url, ...patch });
  assert.equal(answer.status, 201, answer.text);
  const secret = String(at(answer.json, 'secret'));
  secrets.add(secret);
  return { path: `/webhooks/${String(at(answer.json, 'id'))}`, secret };
}

const write = (text: string): Promise<unknown> =>
  gateway.must(201, '/sessions/shop/sandbox/messages', { from: contact, text });
const texts = (): unknown[] => receiver.requests.map(({ json }) => at(json, 'data', 'body')).filter(Boolean);

async function drop(path: string): Promise<void> {
  await must('DELETE', path);
  await receiver.close();
}

describe('a webhook', () => {
  test('gets what its conditions let through, and can be changed while it works', async () => {
    const { path } = await hook({ events: ['message'], conditions: { text: { starts_with: 'order' } } });
    await write('hello');
    await write('Order 1');
    await eventually(() => texts().includes('Order 1'), 15_000);
    assert.deepEqual(texts(), ['Order 1']);
    const changed = await must('PATCH', path, { conditions: null, ordered: true });
    assert.equal(at(changed, 'conditions'), null);
    assert.equal(at(changed, 'ordered'), true);
    await write('hello again');
    await eventually(() => texts().includes('hello again'), 15_000);
    await must('PATCH', path, { enabled: false });
    await write('nobody hears this');
    await eventually(
      async () => at((await gateway.get('/sessions/shop/messages?search=nobody')).json, 'total') === 1,
      15_000,
    );
    assert.equal(at(await must('GET', path), 'enabled'), false);
    const missed = await must('POST', `${path}/replay`, { from: 0, include_missed: true });
    assert.ok(Number(at(missed, 'missed')) >= 2);
    await must('PATCH', path, { enabled: true });
    await eventually(() => texts().includes('nobody hears this') && texts().includes('hello'), 15_000);
    await drop(path);
  });

  test('is refused, field by field, when it makes no sense', async () => {
    const refusals: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
      [{ conditions: {} }, 'conditions'],
      [{ conditions: { chats: ['nobody'] } }, 'conditions.chats[0]'],
      [{ conditions: { senders: ['120363000000000000@g.us'] } }, 'conditions.senders[0]'],
      [{ conditions: { text: {} } }, 'conditions.text'],
      [{ conditions: { text: { regex: '(a+)+$' } } }, 'conditions.text.regex'],
      [{ conditions: { is_group: 'yes' } }, 'conditions.is_group'],
      [{ events: ['test'] }, 'events[0]'],
      [{ secret: 'whsec_not base64!' }, 'secret'],
    ];
    for (const [patch, field] of refusals) {
      const answer = await call('POST', '/webhooks', { url: receiver.url, ...patch });
      assert.equal(answer.status, 400, answer.text);
      assert.equal(at(answer.json, 'error', 'details', 0, 'field'), field, answer.text);
    }
    const { path } = await hook();
    const other = await hook({ url: `${receiver.url}/other` });
    assert.equal((await call('PATCH', path, { url: `${receiver.url}/other` })).status, 409);
    const backwards = await call('GET', `${path}/deliveries?from=20&to=10`);
    assert.equal(at(backwards.json, 'error', 'details', 0, 'field'), 'to');
    assert.equal((await call('POST', `${path}/replay`, { status: 'all' })).status, 400);
    assert.equal((await call('POST', `${path}/deliveries/evt_unknown/replay`)).status, 404);
    for (const [method, tail] of [
      ['GET', ''],
      ['PATCH', ''],
      ['POST', '/test'],
      ['POST', '/enable'],
      ['POST', '/rotate-secret'],
      ['POST', '/replay'],
      ['GET', '/deliveries'],
      ['GET', '/deliveries/evt_unknown'],
    ] as const) {
      const answer = await call(method, `/webhooks/wh_unknown${tail}`, method === 'GET' ? undefined : {});
      assert.equal(at(answer.json, 'error', 'type'), 'webhook_not_found', `${method} ${tail}: ${answer.text}`);
    }
    await must('DELETE', other.path);
    await drop(path);
  });

  test('can be tested, and says what is wrong with its receiver', async () => {
    const { path, secret } = await hook({ events: ['call'] });
    receiver.answer = (response) => void response.writeHead(200).end('thank you');
    const fine = await must('POST', `${path}/test`);
    assert.equal(at(fine, 'delivered'), true);
    assert.equal(at(fine, 'response_excerpt'), 'thank you');
    const request = receiver.requests.at(-1);
    assert.ok(request !== undefined && new Webhook(secret).verify(request.body, request.headers));
    receiver.answer = answerWith(301, { location: 'http://169.254.169.254/' });
    const redirected = await must('POST', `${path}/test`);
    assert.equal(at(redirected, 'delivered'), false);
    assert.equal(at(redirected, 'http_status'), 301);
    assert.match(String(at(redirected, 'error')), /redirects are not followed/);
    const list = await must('GET', `${path}/deliveries?event=test`);
    assert.equal(at(list, 'total'), 2);
    assert.equal(at(list, 'deliveries', 0, 'status'), 'dead');
    assert.equal(at(list, 'deliveries', 1, 'attempts', 0, 'response_excerpt'), 'thank you');
    const one = await must('GET', `${path}/deliveries/${String(at(fine, 'delivery_id'))}`);
    assert.deepEqual(at(one, 'body'), request.json);
    await drop(path);
  });

  test('gets a new secret without a moment in which receivers cannot verify', async () => {
    const { path, secret } = await hook();
    const rotation = await gateway.post(`/sessions/shop${path}/rotate-secret`);
    const next = String(at(rotation.json, 'secret'));
    secrets.add(next);
    assert.notEqual(next, secret);
    const until = Number(at(rotation.json, 'previous_secret_until'));
    assert.ok(Math.abs(until - (Date.now() / 1000 + 86_400)) < 60);
    await must('POST', `${path}/test`);
    const request = receiver.requests.at(-1);
    assert.ok(request !== undefined);
    for (const known of [secret, next]) assert.ok(new Webhook(known).verify(request.body, request.headers));
    const own = 'a secret of my own';
    secrets.add(own);
    const owned = await gateway.post(`/sessions/shop${path}/rotate-secret`, { secret: own });
    assert.equal(at(owned.json, 'secret'), own);
    await must('POST', `${path}/test`);
    const last = receiver.requests.at(-1);
    assert.ok(last !== undefined);
    assert.ok(new Webhook(own, { format: 'raw' }).verify(last.body, last.headers));
    assert.throws(() => new Webhook(secret).verify(last.body, last.headers), 'only two secrets sign');
    await drop(path);
  });

  test('whose receiver is down is left alone, and caught up in order when that is back', async () => {
    const { path } = await hook({ events: ['message'], ordered: true });
    receiver.answer = answerWith(500);
    for (const text of ['one', 'two', 'three', 'four']) await write(text);
    const down = await eventually(async () => {
      const shown = await must('GET', path);
      return at(shown, 'health', 'state') !== 'closed' && at(shown, 'health', 'queue_depth') === 4 && shown;
    }, 20_000);
    assert.equal(at(down, 'health', 'last_error'), 'the receiver answered 500');
    assert.ok(Number(at(down, 'health', 'consecutive_failures')) >= 3);
    assert.ok(Number(at(down, 'health', 'retry_at')) > 0);
    receiver.answer = answerWith(200);
    await eventually(() => texts().includes('four'), 20_000);
    const seen = texts();
    assert.deepEqual(seen.slice(seen.lastIndexOf('one')), ['one', 'two', 'three', 'four']);
    await eventually(async () => at(await must('GET', path), 'health', 'state') === 'closed');
    await drop(path);
  });

  test('gets again, under the same id, what was on its way when the gateway was killed', async () => {
    const { path } = await hook({ events: ['message'] });
    receiver.answer = () => undefined;
    await write('survivor');
    const first = await eventually(() => receiver.requests[0], 15_000);
    await gateway.kill();
    receiver.answer = answerWith(200);
    // The lease of the one that died has to lapse first.
    await gateway.database?.query(`update deliveries set lease_until = now() where lease_until is not null`);
    await gateway.boot();
    const second = await eventually(() => receiver.requests[1], 30_000);
    assert.equal(second.headers['webhook-id'], first.headers['webhook-id']);
    assert.equal(second.body, first.body);
    await untilConnected(gateway, 'shop');
    await drop(path);
  });

  test('shows its secret nowhere but where it was made, and the log does not either', async () => {
    const { path, secret } = await hook();
    await must('GET', '/webhooks');
    await must('POST', `${path}/enable`);
    await must('GET', `${path}/deliveries`);
    assert.ok(secrets.size >= 5 && answers.length > 20);
    for (const known of [...secrets, secret]) {
      assert.ok(!answers.some((text) => text.includes(known)), 'an answer shows a secret');
      assert.ok(!gateway.output.includes(known), 'the log shows a secret');
    }
    await drop(path);
  });
});
