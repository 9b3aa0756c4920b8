import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { systemClock } from '../../src/clock.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { logger } from '../../src/log.ts';
import type { Store, WebhookRow } from '../../src/store/store.ts';
import { disableGone } from '../../src/webhooks/disable-gone.ts';
import { createDispatcher, type Dispatcher, type DispatcherSettings } from '../../src/webhooks/dispatcher.ts';
import { newWebhookSecret } from '../../src/webhooks/secret.ts';
import { at, keysOf } from '../support/api-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { answerWith, startHttpReceiver, type HttpReceiver, type ReceivedRequest } from '../support/http-receiver.ts';

let database: TestDatabase;
let store: Store;
let receiver: HttpReceiver;
const dispatchers: Dispatcher[] = [];

before(async () => {
  database = await createTestDatabase();
  store = await database.openStore();
});
after(() => database.dispose());
beforeEach(async () => {
  receiver = await startHttpReceiver();
});
afterEach(async () => {
  await Promise.all(dispatchers.splice(0).map((dispatcher) => dispatcher.stop(200)));
  await receiver.close();
  await database.query('delete from sessions');
});

const quick: DispatcherSettings = {
  timeoutMs: 2000,
  allowPrivateAddresses: true,
  allowCidrs: [],
  userAgent: 'warden/0.0.0-test',
  scheduleMs: [0, 50, 50, 50],
  concurrency: 16,
  leaseMs: 10_000,
};

function dispatch(settings: Partial<DispatcherSettings> = {}, from: Store = store): Dispatcher {
  const dispatcher = createDispatcher({
    outbox: from.outbox,
    onGone: (webhook) => disableGone(from, webhook, systemClock),
    settings: { ...quick, ...settings },
    log: logger('webhooks'),
    clock: systemClock,
    random: () => 0.5,
  });
  dispatchers.push(dispatcher);
  dispatcher.start();
  return dispatcher;
}

let sessions = 0;
interface Hook {
  readonly session: SessionId;
  readonly webhook: WebhookRow;
}

async function hook(
  options: { readonly ordered?: boolean; readonly secret?: string; readonly url?: string } = {},
): Promise<Hook> {
  sessions += 1;
  const session = parseSessionId(`hooked-${sessions}`);
  if (session === null) throw new Error('not a session id');
  await store.sessions.create({
    id: session,
    name: null,
    sandbox: false,
    desired: 'stopped',
    memoryCapMb: null,
    webhook: null,
  });
  const webhook = await store.webhooks.create(session, {
    id: `wh_${sessions}`,
    url: options.url ?? receiver.url,
    secret: options.secret ?? newWebhookSecret(),
    events: ['all'],
    ordered: options.ordered ?? false,
  });
  return { session, webhook };
}

const tell = (session: SessionId, reason: string): Promise<void> =>
  store.commits.emit(session, { name: 'logged_out', data: { reason, code: null } }, 1_704_067_200_999);

const reasons = (requests: readonly ReceivedRequest[]): readonly unknown[] =>
  requests.map(({ json }) => at(json, 'data', 'reason'));

const count = async (where: string): Promise<number> =>
  Number((await database.query(`select count(*)::int as n from deliveries where ${where}`))[0]?.['n']);

describe('a delivery', () => {
  test('arrives with the envelope and with signatures that two independent verifiers accept', async () => {
    const { session, webhook } = await hook();
    dispatch();
    await tell(session, 'gone – für immer');
    const [request] = await eventually(() => receiver.requests.length === 1 && receiver.requests);
    assert.ok(request !== undefined);
    assert.equal(request.method, 'POST');
    assert.equal(request.headers['content-type'], 'application/json');
    assert.equal(request.headers['user-agent'], 'warden/0.0.0-test');
    assert.equal(request.headers['x-webhook-attempt'], '1');
    assert.deepEqual(keysOf(request.json), ['id', 'event', 'session_id', 'timestamp', 'sequence', 'data']);
    assert.equal(at(request.json, 'event'), 'logged_out');
    assert.equal(at(request.json, 'session_id'), session);
    assert.equal(at(request.json, 'timestamp'), 1_704_067_200);
    assert.equal(at(request.json, 'id'), request.headers['webhook-id']);
    const naive = createHmac('sha256', webhook.secret).update(request.body).digest('hex');
    assert.equal(request.headers['x-signature'], naive);
    assert.equal(request.headers['x-webhook-signature'], `sha256=${naive}`);
    assert.ok(new Webhook(webhook.secret).verify(request.body, request.headers));
    assert.throws(() => new Webhook(newWebhookSecret()).verify(request.body, request.headers));
    await eventually(async () => (await count(`status = 'delivered'`)) === 1);
  });

  test('is signed with a legacy secret as it stands', async () => {
    const { session } = await hook({ secret: 'a-legacy-secret' });
    dispatch();
    await tell(session, 'x');
    const [request] = await eventually(() => receiver.requests.length === 1 && receiver.requests);
    assert.ok(request !== undefined);
    assert.ok(new Webhook('a-legacy-secret', { format: 'raw' }).verify(request.body, request.headers));
  });

  test('is repeated after a failure, with the same id and body, and a new timestamp and count', async () => {
    const { session, webhook } = await hook();
    receiver.answer = answerWith(500);
    dispatch({ scheduleMs: [0, 1100, 50] });
    await tell(session, 'again');
    await eventually(() => receiver.requests.length === 1);
    receiver.answer = answerWith(204);
    const [first, second] = await eventually(() => receiver.requests.length === 2 && receiver.requests);
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.body, second.body);
    assert.equal(first.headers['webhook-id'], second.headers['webhook-id']);
    assert.notEqual(first.headers['webhook-timestamp'], second.headers['webhook-timestamp']);
    assert.equal(second.headers['x-webhook-attempt'], '2');
    assert.ok(new Webhook(webhook.secret).verify(second.body, second.headers));
  });

  test('is given up when the schedule is used up, and at once when the receiver is gone for good', async () => {
    const { session } = await hook();
    receiver.answer = answerWith(503);
    dispatch();
    await tell(session, 'hopeless');
    await eventually(async () => (await count(`status = 'dead'`)) === 1);
    assert.equal(receiver.requests.length, quick.scheduleMs.length);
    receiver.answer = answerWith(410);
    await tell(session, 'gone');
    await eventually(async () => (await count(`status = 'dead'`)) === 2);
    assert.equal(receiver.requests.length, quick.scheduleMs.length + 1);
  });

  test('waits as long as Retry-After says', async () => {
    const { session } = await hook();
    receiver.answer = answerWith(429, { 'retry-after': '1' });
    dispatch();
    await tell(session, 'later');
    await eventually(() => receiver.requests.length === 1);
    receiver.answer = answerWith(200);
    const [first, second] = await eventually(() => receiver.requests.length === 2 && receiver.requests);
    assert.ok(first !== undefined && second !== undefined && second.at - first.at >= 950);
  });

  test('does not follow a redirect', async () => {
    const { session } = await hook();
    const other = await startHttpReceiver();
    receiver.answer = answerWith(307, { location: other.url });
    dispatch({ scheduleMs: [0] });
    await tell(session, 'elsewhere');
    await eventually(async () => (await count(`status = 'dead'`)) === 1);
    assert.equal(other.requests.length, 0);
    const [row] = await database.query('select last_status, last_error from deliveries');
    assert.equal(row?.['last_status'], 307);
    await other.close();
  });

  test('ends at its time limit when the receiver does not answer, and when it does not listen', async () => {
    const { session } = await hook();
    receiver.answer = () => undefined;
    dispatch({ timeoutMs: 300, scheduleMs: [0] });
    await tell(session, 'silence');
    await eventually(async () => (await count(`status = 'dead'`)) === 1);
    const [row] = await database.query('select last_error from deliveries');
    assert.equal(row?.['last_error'], 'no answer within 300 ms');
    const closed = await startHttpReceiver();
    await closed.close();
    const nobody = await hook({ url: closed.url });
    await tell(nobody.session, 'nobody');
    await eventually(async () => (await count(`status = 'dead' and last_error = 'the connection was refused'`)) === 1);
  });

  test('is done when the status says so, however long or slow the body behind it is', async () => {
    const { session } = await hook();
    let written = 0;
    receiver.answer = (response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const flood = (): void => {
        while (!response.destroyed && written < 500_000_000) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', flood);
        }
      };
      flood();
    };
    dispatch();
    await tell(session, 'flood');
    await eventually(async () => (await count(`status = 'delivered'`)) === 1);
    assert.ok(written < 50_000_000, `${written} bytes were taken`);
    receiver.answer = (response) => void response.writeHead(200).write('never ending');
    await tell(session, 'slow');
    await eventually(async () => (await count(`status = 'delivered'`)) === 2, 10_000);
  });

  test('goes over a connection that is kept open', async () => {
    const { session } = await hook({ ordered: true });
    const ports = new Set<number | undefined>();
    receiver.answer = (response) => {
      ports.add(response.socket?.remotePort);
      response.writeHead(200).end('ok');
    };
    dispatch();
    for (const reason of ['a', 'b', 'c', 'd']) await tell(session, reason);
    await eventually(() => receiver.requests.length === 4);
    assert.equal(ports.size, 1);
  });
});

describe('an ordered webhook', () => {
  test('gets one delivery at a time in the order of the events, also over failures', async () => {
    const { session } = await hook({ ordered: true });
    let open = 0;
    let failures = 2;
    receiver.answer = async (response, request) => {
      open += 1;
      assert.equal(open, 1);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      const isFailing = at(request.json, 'data', 'reason') === '3' && failures-- > 0;
      response.writeHead(isFailing ? 500 : 200).end();
    };
    const expected = Array.from({ length: 8 }, (_, index) => String(index));
    for (const reason of expected) await tell(session, reason);
    dispatch();
    await eventually(async () => (await count(`status = 'delivered'`)) === 8);
    assert.deepEqual(reasons(receiver.requests), ['0', '1', '2', '3', '3', '3', '4', '5', '6', '7']);
  });
});

describe('the dispatcher', () => {
  test('is woken by a new event rather than looking for it', async () => {
    const { session } = await hook();
    dispatch();
    await tell(session, 'first');
    await eventually(() => receiver.requests.length === 1);
    const before = performance.now();
    await tell(session, 'second');
    const [, second] = await eventually(() => receiver.requests.length === 2 && receiver.requests);
    assert.ok(second !== undefined && second.at - before < 1000, 'it took as long as a look-around');
  });

  test('lets no slow receiver hold up the others', async () => {
    const slow = await hook();
    const stuck = await startHttpReceiver();
    await database.query('update webhooks set url = $1 where id = $2', [stuck.url, slow.webhook.id]);
    stuck.answer = () => undefined;
    for (let index = 0; index < 30; index += 1) await tell(slow.session, String(index));
    const quickHook = await hook();
    for (let index = 0; index < 30; index += 1) await tell(quickHook.session, String(index));
    dispatch({ concurrency: 8 });
    await eventually(() => receiver.requests.length === 30);
    assert.ok(stuck.requests.length <= 4, `${stuck.requests.length} requests at once`);
    for (const dispatcher of dispatchers.splice(0)) await dispatcher.stop(0);
    await stuck.close();
  });

  test('lets requests in flight end when it stops, and breaks off those that do not', async () => {
    const { session } = await hook();
    const stopping = dispatch();
    let finish = (): void => undefined;
    receiver.answer = (response) => {
      finish = () => void response.writeHead(200).end();
    };
    await tell(session, 'in flight');
    await eventually(() => receiver.requests.length === 1);
    const stopped = stopping.stop(5000);
    finish();
    await stopped;
    assert.equal(await count(`status = 'delivered'`), 1);

    const cut = dispatch();
    receiver.answer = () => undefined;
    await tell(session, 'cut off');
    await eventually(() => receiver.requests.length === 2);
    await cut.stop(50);
    assert.equal(await count(`status = 'pending' and due_at <= now() and lease_until is null`), 1);

    receiver.answer = answerWith(200);
    dispatch();
    await eventually(async () => (await count(`status = 'delivered'`)) === 2);
    assert.deepEqual(reasons(receiver.requests), ['in flight', 'cut off', 'cut off']);
  });

  test('sends what another one had claimed when it died, once the lease has lapsed', async () => {
    const { session } = await hook();
    await tell(session, 'orphaned');
    const claimed = await store.outbox.claim(10, 800);
    assert.equal(claimed.length, 1);
    dispatch();
    assert.equal(receiver.requests.length, 0);
    await eventually(() => receiver.requests.length === 1);
    assert.deepEqual(reasons(receiver.requests), ['orphaned']);
  });

  test('shares the work with another one without sending twice', async () => {
    const other = await database.openStore();
    const { session } = await hook();
    for (let index = 0; index < 60; index += 1) await tell(session, String(index));
    dispatch();
    dispatch({}, other);
    await eventually(async () => (await count(`status = 'delivered'`)) === 60);
    assert.equal(receiver.requests.length, 60);
    assert.equal(new Set(reasons(receiver.requests)).size, 60);
  });

  test('refuses private addresses where it is told to', async () => {
    const { session } = await hook();
    dispatch({ allowPrivateAddresses: false, scheduleMs: [0] });
    await tell(session, 'private');
    await eventually(async () => (await count(`status = 'dead'`)) === 1);
    assert.equal(receiver.requests.length, 0);
    dispatch({ allowPrivateAddresses: false, allowCidrs: ['127.0.0.0/8'], scheduleMs: [0] });
    for (const dispatcher of dispatchers.splice(0, 1)) await dispatcher.stop(0);
    await tell(session, 'allowed');
    await eventually(() => receiver.requests.length === 1);
  });
});
