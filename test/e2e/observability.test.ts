import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { metricEntries } from '../../src/telemetry/metric-table.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { lint, readExposition, valueOf, type Family } from '../support/exposition.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayUnderTest, pairedSession, requireCleanOracle, token } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';

const contact = '15551234567';
const metricsToken = 'a-token-for-nothing-but-metrics';
const secretText = 'Nobody but the recipient reads this';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const callersSpan = 'b7ad6b7169203331';

const logLine = z.looseObject({ msg: z.string() });
type Line = z.output<typeof logLine>;

describe('a gateway that is watched', () => {
  let gateway: GatewayUnderTest;
  let hook: HttpReceiver;
  let collector: OtlpReceiver;
  let metricsUrl: string;

  before(async () => {
    const metricsPort = await freePort();
    metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
    collector = await startOtlpReceiver();
    hook = await startHttpReceiver();
    gateway = await GatewayUnderTest.start({
      env: {
        METRICS_PORT: String(metricsPort),
        METRICS_TOKEN: metricsToken,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=a%20key',
        OTEL_SERVICE_NAME: 'gateway-under-test',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      },
    });
    await pairedSession(gateway, 'support', { phone: '15550001111', webhook: { url: hook.url } });
    await gateway.must(201, '/sessions/support/sandbox/contacts', { phone: contact, behaviour: 'delivers' });
  });

  after(async () => {
    try {
      await requireCleanOracle(gateway, 'support');
    } finally {
      await gateway.dispose();
      await hook.close();
      await collector.close();
    }
  });

  const send = async (headers: Readonly<Record<string, string>>): Promise<string> => {
    const answer = await gateway.api.call('POST', '/api/v1/sessions/support/messages/text', {
      body: { to: contact, text: secretText },
      headers,
    });
    assert.equal(answer.status, 200, answer.text);
    return String(at(answer.json, 'message_id'));
  };

  const lines = (): readonly Line[] =>
    gateway.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => logLine.parse(JSON.parse(line)));

  const scrape = async (): Promise<readonly Family[]> => {
    const answer = await fetch(metricsUrl, { headers: { authorization: `Bearer ${metricsToken}` } });
    assert.equal(answer.status, 200);
    return readExposition(await answer.text());
  };

  test('the lines of all processes about one message are found by its id, and those of a request by that', async () => {
    const requestId = 'order-4711';
    const messageId = await send({ 'x-request-id': requestId });
    const of = (msg: string): Line | undefined =>
      lines().find((line) => line.msg === msg && line['requestId'] === requestId);
    const child = await eventually(
      () => of('send served'),
      10_000,
      () => gateway.output.slice(-3000),
    );
    assert.equal(child['process'], 'child');
    assert.equal(child['pid'], at((await gateway.get('/sessions/support')).json, 'child', 'pid'));
    assert.deepEqual([child['messageId'], child['operation'], child['session']], [messageId, 'sendText', 'support']);
    for (const msg of ['message accepted', 'message handed over']) assert.equal(of(msg)?.['messageId'], messageId, msg);
    assert.equal(of('request answered')?.['operation'], 'sendText');
    // The event that the message was sent goes to the webhook; its line knows the request that led to it.
    const delivery = await eventually(() => of('webhook delivered'));
    assert.deepEqual([delivery['event'], delivery['messageId']], ['message_sent', messageId]);
    const recorded = lines().filter((line) => line.msg === 'message recorded' && line['messageId'] === messageId);
    assert.ok(recorded.length > 0);
    // Nothing else of this process is done for that request.
    const strangers = lines().filter((line) => line['requestId'] === requestId && line['session'] !== 'support');
    assert.ok(strangers.every(({ msg }) => msg === 'request answered'));
  });

  test('a child that a request had started does not go on telling of that request', async () => {
    await gateway.must(201, '/sessions', { id: 'other', sandbox: true });
    await gateway.must(200, '/sessions/other/sandbox/scan', { phone: '15550002222' });
    const restart = await gateway.api.call('POST', '/api/v1/sessions/other/restart', {
      body: {},
      headers: { 'x-request-id': 'the-restart' },
    });
    assert.ok(restart.status < 300, restart.text);
    await eventually(async () => at((await gateway.get('/sessions/other')).json, 'status') === 'connected', 45_000);
    await gateway.must(201, '/sessions/other/sandbox/contacts', { phone: contact });
    const written = await gateway.must(201, '/sessions/other/sandbox/messages', { from: contact, text: secretText });
    const line = await eventually(() =>
      lines().find(({ msg, messageId }) => msg === 'message recorded' && messageId === at(written, 'message_id')),
    );
    assert.equal(line['requestId'], undefined);
  });

  test('no line holds a text or a whole number, and a request is told by the pattern of its path', async () => {
    await gateway.get(`/sessions/support/contacts/${contact}/lid`);
    await eventually(() => lines().some(({ route }) => route === '/api/v1/sessions/:id/contacts/:jid/lid'));
    const logged = lines().map((line) => JSON.stringify(line));
    for (const forbidden of [secretText, contact, '15550001111', token, metricsToken]) {
      assert.deepEqual(logged.filter((line) => line.includes(forbidden)).slice(0, 3), [], forbidden);
    }
  });

  test('a trace that begins at the caller goes on through operation, child, store and webhook', async () => {
    const messageId = await send({
      'x-request-id': 'traced',
      traceparent: `00-${traceId}-${callersSpan}-01`,
    });
    const ours = (): readonly ReceivedSpan[] => collector.spans().filter((span) => span.traceId === traceId);
    const attempt = await eventually(
      () => ours().find(({ name }) => name === 'webhook attempt'),
      20_000,
      () => ours().map(({ name }) => name),
    );
    const named = (name: string): ReceivedSpan => {
      const found = ours().find((span) => span.name === name);
      if (found === undefined)
        throw new Error(
          `no span ${name} among ${ours()
            .map((span) => span.name)
            .join(', ')}`,
        );
      return found;
    };
    const [request, operation, ipc, child] = [
      named('POST sendText'),
      named('operation sendText'),
      named('ipc send'),
      named('child sendText'),
    ];
    assert.equal(request.parentSpanId, callersSpan);
    assert.equal(operation.parentSpanId, request.spanId);
    assert.equal(ipc.parentSpanId, operation.spanId);
    assert.equal(child.parentSpanId, ipc.spanId);
    assert.equal(attempt.parentSpanId, ipc.spanId);
    const committed = ours().filter(({ name }) => name === 'store statements' || name === 'store transaction');
    assert.ok(committed.some(({ parentSpanId }) => parentSpanId === operation.spanId));
    assert.ok(ours().some(({ name, parentSpanId }) => name === 'store commit' && parentSpanId === attempt.spanId));
    assert.ok(child.endTimeUnixNano > child.startTimeUnixNano);
    assert.equal(request.attributes['http.response.status_code'], 200);
    assert.equal(request.attributes['http.route'], '/api/v1/sessions/:id/messages/text');
    assert.equal(child.attributes['warden.message_id'], messageId);
    assert.equal(attempt.attributes['warden.event'], 'message_sent');

    const delivered = hook.requests.find(
      ({ headers }) => headers['traceparent'] === `00-${traceId}-${attempt.spanId}-01`,
    );
    assert.equal(at(delivered?.json, 'data', 'message_id'), messageId);
    assert.ok(lines().some((line) => line['requestId'] === 'traced' && line['traceId'] === traceId));
    const [sent] = collector.requests;
    assert.deepEqual([sent?.path, sent?.headers['x-collector-key']], ['/v1/traces', 'a key']);
    const resource = collector.resources().at(-1);
    assert.equal(resource?.['service.name'], 'gateway-under-test');
    assert.equal(resource?.['deployment.environment.name'], 'test');
    for (const { body } of collector.requests) {
      assert.doesNotMatch(body.toString('utf8'), new RegExp(`${secretText}|${contact}|15550001111`));
    }
  });

  test('metrics are those of the table, in order for a linter, and count what has happened', async () => {
    const before = await scrape();
    await send({});
    await eventually(async () => {
      const now = await scrape();
      const grown = (name: string, labels = {}): number =>
        (valueOf(now, name, labels) ?? 0) - (valueOf(before, name, labels) ?? 0);
      return (
        grown('warden_messages_sent_total') === 1 &&
        grown('warden_send_latency_seconds_count') === 1 &&
        grown('warden_http_requests_total', { operation: 'sendText', status: '2xx' }) === 1 &&
        grown('warden_webhook_attempts_total', { outcome: 'delivered' }) >= 1
      );
    });
    const families = await scrape();
    assert.deepEqual(lint(families), []);
    assert.deepEqual(
      families.map(({ name, type }) => [name, type]),
      metricEntries.filter(({ isPerSession }) => isPerSession !== true).map(({ name, type }) => [name, type]),
    );
    assert.equal(valueOf(families, 'warden_sessions', { status: 'connected' }), 2);
    assert.equal(valueOf(families, 'warden_children', { state: 'running' }), 2);
    assert.equal(valueOf(families, 'warden_database_up'), 1);
    assert.equal(valueOf(families, 'warden_webhooks', { state: 'closed' }), 1);
    assert.ok((valueOf(families, 'warden_memory_private_bytes', { process: 'children' }) ?? 0) > 0);
    // It is sampled from the first scrape on.
    await eventually(async () => {
      const delay = valueOf(await scrape(), 'warden_event_loop_delay_seconds', { quantile: '0.99' });
      return delay !== undefined && delay >= 0;
    });
    assert.ok((valueOf(families, 'process_open_fds') ?? 0) > 10);
    const labels = families.flatMap(({ samples }) => samples.map((sample) => JSON.stringify(sample.labels)));
    assert.deepEqual(
      labels.filter((text) => /support|other"?\}|1555/.test(text) && !text.includes('"operation":"other"')),
      [],
    );
  });

  test('metrics are shown to the metrics token and to admins, and to nobody else', async () => {
    const onMain = async (given: string | null): Promise<number> =>
      (await gateway.api.call('GET', '/metrics', { token: given })).status;
    assert.equal((await fetch(metricsUrl)).status, 401);
    assert.equal((await fetch(`${metricsUrl.replace('/metrics', '')}/`)).status, 404);
    assert.equal(await onMain(null), 401);
    assert.equal(await onMain(`${metricsToken}x`), 401);
    assert.equal(await onMain(metricsToken), 200);
    assert.equal(await onMain(token), 200);
    assert.equal((await gateway.api.call('GET', '/api/v1/sessions', { token: metricsToken })).status, 401);
    const viewer = await gateway.must(201, '/tokens', { name: 'viewer', role: 'viewer', sessions: '*' });
    assert.equal(await onMain(String(at(viewer, 'token'))), 403);
  });

  test('a gateway that is stopped sends the spans that wait', async () => {
    await gateway.api.call('GET', '/api/v1/sessions/support', { headers: { 'x-request-id': 'the-last' } });
    assert.equal(await gateway.stop(), 0);
    assert.ok(collector.spans().some((span) => span.attributes['warden.request_id'] === 'the-last'));
    await gateway.boot();
    await eventually(async () => at((await gateway.get('/sessions/support')).json, 'status') === 'connected', 45_000);
  });
});
