import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { newWebhookSecret } from '../../src/webhooks/secret.ts';
import { at, keysOf } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { answerWith, startHttpReceiver } from '../support/http-receiver.ts';
import { quickSettings, reasonsOf, WebhookRig } from '../support/webhook-rig.ts';

const rig = WebhookRig.forTests();

describe('a delivery', () => {
  test('arrives with the envelope and with signatures that two independent verifiers accept', async () => {
    const { session, webhook } = await rig.hook();
    rig.dispatch();
    await rig.tell(session, 'gone – für immer');
    const [request] = await eventually(() => rig.receiver.requests.length === 1 && rig.receiver.requests);
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
    await eventually(async () => (await rig.count(`status = 'delivered'`)) === 1);
  });

  test('is signed with a legacy secret as it stands', async () => {
    const { session } = await rig.hook({ secret: 'a-legacy-secret' });
    rig.dispatch();
    await rig.tell(session, 'x');
    const [request] = await eventually(() => rig.receiver.requests.length === 1 && rig.receiver.requests);
    assert.ok(request !== undefined);
    assert.ok(new Webhook('a-legacy-secret', { format: 'raw' }).verify(request.body, request.headers));
  });

  test('is repeated after a failure, with the same id and body, and a new timestamp and count', async () => {
    const { session, webhook } = await rig.hook();
    rig.receiver.answer = answerWith(500);
    rig.dispatch({ scheduleMs: [0, 1100, 50] });
    await rig.tell(session, 'again');
    await eventually(() => rig.receiver.requests.length === 1);
    rig.receiver.answer = answerWith(204);
    const [first, second] = await eventually(() => rig.receiver.requests.length === 2 && rig.receiver.requests);
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.body, second.body);
    assert.equal(first.headers['webhook-id'], second.headers['webhook-id']);
    assert.notEqual(first.headers['webhook-timestamp'], second.headers['webhook-timestamp']);
    assert.equal(second.headers['x-webhook-attempt'], '2');
    assert.ok(new Webhook(webhook.secret).verify(second.body, second.headers));
  });

  test('is given up when the schedule is used up, and at once when the receiver is gone for good', async () => {
    const { session } = await rig.hook();
    rig.receiver.answer = answerWith(503);
    rig.dispatch();
    await rig.tell(session, 'hopeless');
    await eventually(async () => (await rig.count(`status = 'dead'`)) === 1);
    assert.equal(rig.receiver.requests.length, quickSettings.scheduleMs.length);
    rig.receiver.answer = answerWith(410);
    await rig.tell(session, 'gone');
    await eventually(async () => (await rig.count(`status = 'dead'`)) === 2);
    assert.equal(rig.receiver.requests.length, quickSettings.scheduleMs.length + 1);
  });

  test('waits as long as Retry-After says', async () => {
    const { session } = await rig.hook();
    rig.receiver.answer = answerWith(429, { 'retry-after': '1' });
    rig.dispatch();
    await rig.tell(session, 'later');
    await eventually(() => rig.receiver.requests.length === 1);
    rig.receiver.answer = answerWith(200);
    const [first, second] = await eventually(() => rig.receiver.requests.length === 2 && rig.receiver.requests);
    assert.ok(first !== undefined && second !== undefined && second.at - first.at >= 950);
  });

  test('does not follow a redirect', async () => {
    const { session } = await rig.hook();
    const other = await startHttpReceiver();
    rig.receiver.answer = answerWith(307, { location: other.url });
    rig.dispatch({ scheduleMs: [0] });
    await rig.tell(session, 'elsewhere');
    await eventually(async () => (await rig.count(`status = 'dead'`)) === 1);
    assert.equal(other.requests.length, 0);
    const [row] = await rig.database.query('select last_status, last_error from deliveries');
    assert.equal(row?.['last_status'], 307);
    await other.close();
  });

  test('ends at its time limit when the receiver does not answer, and when it does not listen', async () => {
    const { session } = await rig.hook();
    rig.receiver.answer = () => undefined;
    rig.dispatch({ timeoutMs: 300, scheduleMs: [0] });
    await rig.tell(session, 'silence');
    await eventually(async () => (await rig.count(`status = 'dead'`)) === 1);
    const [row] = await rig.database.query('select last_error from deliveries');
    assert.equal(row?.['last_error'], 'no answer within 300 ms');
    const closed = await startHttpReceiver();
    await closed.close();
    const nobody = await rig.hook({ url: closed.url });
    await rig.tell(nobody.session, 'nobody');
    await eventually(
      async () => (await rig.count(`status = 'dead' and last_error = 'the connection was refused'`)) === 1,
    );
  });

  test('is done when the status says so, however long or slow the body behind it is', async () => {
    const { session } = await rig.hook();
    let written = 0;
    rig.receiver.answer = (response) => {
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
    rig.dispatch();
    await rig.tell(session, 'flood');
    await eventually(async () => (await rig.count(`status = 'delivered'`)) === 1);
    assert.ok(written < 50_000_000, `${written} bytes were taken`);
    rig.receiver.answer = (response) => void response.writeHead(200).write('never ending');
    await rig.tell(session, 'slow');
    await eventually(async () => (await rig.count(`status = 'delivered'`)) === 2, 10_000);
  });

  test('goes over a connection that is kept open', async () => {
    const { session } = await rig.hook({ ordered: true });
    const ports = new Set<number | undefined>();
    rig.receiver.answer = (response) => {
      ports.add(response.socket?.remotePort);
      response.writeHead(200).end('ok');
    };
    rig.dispatch();
    for (const reason of ['a', 'b', 'c', 'd']) await rig.tell(session, reason);
    await eventually(() => rig.receiver.requests.length === 4);
    assert.equal(ports.size, 1);
  });
});

describe('an ordered webhook', () => {
  test('gets one delivery at a time in the order of the events, also over failures', async () => {
    const { session } = await rig.hook({ ordered: true });
    let open = 0;
    let failures = 2;
    rig.receiver.answer = async (response, request) => {
      open += 1;
      assert.equal(open, 1);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      const isFailing = at(request.json, 'data', 'reason') === '3' && failures-- > 0;
      response.writeHead(isFailing ? 500 : 200).end();
    };
    const expected = Array.from({ length: 8 }, (_, index) => String(index));
    for (const reason of expected) await rig.tell(session, reason);
    rig.dispatch();
    await eventually(async () => (await rig.count(`status = 'delivered'`)) === 8);
    assert.deepEqual(reasonsOf(rig.receiver.requests), ['0', '1', '2', '3', '3', '3', '4', '5', '6', '7']);
  });
});

describe('the dispatcher', () => {
  test('is woken by a new event rather than looking for it', async () => {
    const { session } = await rig.hook();
    rig.dispatch();
    await rig.tell(session, 'first');
    await eventually(() => rig.receiver.requests.length === 1);
    const before = performance.now();
    await rig.tell(session, 'second');
    const [, second] = await eventually(() => rig.receiver.requests.length === 2 && rig.receiver.requests);
    assert.ok(second !== undefined && second.at - before < 1000, 'it took as long as a look-around');
  });

  test('lets no slow receiver hold up the others', async () => {
    const slow = await rig.hook();
    const stuck = await startHttpReceiver();
    await rig.database.query('update webhooks set url = $1 where id = $2', [stuck.url, slow.webhook.id]);
    stuck.answer = () => undefined;
    for (let index = 0; index < 30; index += 1) await rig.tell(slow.session, String(index));
    const quickHook = await rig.hook();
    for (let index = 0; index < 30; index += 1) await rig.tell(quickHook.session, String(index));
    rig.dispatch({ concurrency: 8 });
    await eventually(() => rig.receiver.requests.length === 30);
    assert.ok(stuck.requests.length <= 4, `${stuck.requests.length} requests at once`);
    await rig.stopEngines();
    await stuck.close();
  });

  test('lets requests in flight end when it stops, and breaks off those that do not', async () => {
    const { session } = await rig.hook();
    const stopping = rig.dispatch();
    let finish = (): void => undefined;
    rig.receiver.answer = (response) => {
      finish = () => void response.writeHead(200).end();
    };
    await rig.tell(session, 'in flight');
    await eventually(() => rig.receiver.requests.length === 1);
    const stopped = stopping.stop(5000);
    finish();
    await stopped;
    assert.equal(await rig.count(`status = 'delivered'`), 1);

    const cut = rig.dispatch();
    rig.receiver.answer = () => undefined;
    await rig.tell(session, 'cut off');
    await eventually(() => rig.receiver.requests.length === 2);
    await cut.stop(50);
    assert.equal(await rig.count(`status = 'pending' and due_at <= now() and lease_until is null`), 1);

    rig.receiver.answer = answerWith(200);
    rig.dispatch();
    await eventually(async () => (await rig.count(`status = 'delivered'`)) === 2);
    assert.deepEqual(reasonsOf(rig.receiver.requests), ['in flight', 'cut off', 'cut off']);
  });

  test('sends what another one had claimed when it died, once the lease has lapsed', async () => {
    const { session } = await rig.hook();
    await rig.tell(session, 'orphaned');
    const claimed = await rig.store.outbox.claim(10, 800);
    assert.equal(claimed.length, 1);
    rig.dispatch();
    assert.equal(rig.receiver.requests.length, 0);
    await eventually(() => rig.receiver.requests.length === 1);
    assert.deepEqual(reasonsOf(rig.receiver.requests), ['orphaned']);
  });

  test('shares the work with another one without sending twice', async () => {
    const other = await rig.database.openStore();
    const { session } = await rig.hook();
    for (let index = 0; index < 60; index += 1) await rig.tell(session, String(index));
    rig.dispatch();
    rig.dispatch({}, other);
    await eventually(async () => (await rig.count(`status = 'delivered'`)) === 60);
    assert.equal(rig.receiver.requests.length, 60);
    assert.equal(new Set(reasonsOf(rig.receiver.requests)).size, 60);
  });

  test('reaches private addresses for those webhooks alone whose owner may, and where the operator allows it', async () => {
    const operators = await rig.hook();
    const others = await rig.hook({ allowPrivate: false });
    rig.dispatch({ scheduleMs: [0] });
    await rig.tell(others.session, 'private');
    await rig.tell(operators.session, 'own network');
    await rig.until('dead', 1);
    await rig.until('delivered', 1);
    assert.deepEqual(reasonsOf(rig.receiver.requests), ['own network']);
    const [row] = await rig.database.query(`select last_error from deliveries where status = 'dead'`);
    assert.match(String(row?.['last_error']), /private address/);
    await rig.stopEngines();
    rig.dispatch({ allowCidrs: ['127.0.0.0/8'], scheduleMs: [0] });
    await rig.tell(others.session, 'allowed');
    await eventually(() => rig.receiver.requests.length === 2);
  });
});
