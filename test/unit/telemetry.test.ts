import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { currentOrigin, inScope, outsideRequests } from '../../src/request-scope.ts';
import { metricEntries } from '../../src/telemetry/metric-table.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { startTracing } from '../../src/telemetry/start-tracing.ts';
import { traceSettings, type TraceSettings } from '../../src/telemetry/trace-settings.ts';
import { isTraceparent, traced, tracedEntry } from '../../src/tracing.ts';
import { eventually } from '../support/eventually.ts';
import { lint, readExposition, valueOf } from '../support/exposition.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';

setLogLevel('silent');
const log = logger('test');
const settingsOf = (environment: Readonly<Record<string, string>>): TraceSettings | null =>
  traceSettings(readConfig(environment, { dotEnvPath: null }), '1.2.3');

describe('the settings of traces', () => {
  test('are none without a collector, and none when they are switched off', () => {
    assert.equal(settingsOf({}), null);
    assert.equal(settingsOf({ OTEL_SERVICE_NAME: 'x' }), null);
    assert.equal(settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }), null);
  });

  test('come from the standard variables', () => {
    const settings = settingsOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc=, x-tenant=7',
      OTEL_RESOURCE_ATTRIBUTES: 'a=1,b=two%2C',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    assert.equal(settings?.url, 'http://c:4318/v1/traces');
    assert.deepEqual(settings.headers, { authorization: 'Basic abc=', 'x-tenant': '7' });
    assert.deepEqual(settings.resource, { a: '1', b: 'two,' });
    assert.deepEqual(
      [settings.sampler, settings.ratio, settings.protocol],
      ['parentbased_traceidratio', 0.25, 'http/protobuf'],
    );
  });

  test('take an address for traces as it is', () => {
    const url = 'https://c.example/otlp/v1/traces';
    const both = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://other:4318' };
    assert.equal(settingsOf(both)?.url, url);
  });

  test('that cannot be used are refused at the start', () => {
    const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' };
    assert.throws(
      () => settingsOf({ ...collector, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }),
      /OTEL_EXPORTER_OTLP_PROTOCOL/,
    );
    assert.throws(() => settingsOf({ ...collector, OTEL_TRACES_SAMPLER_ARG: '2' }), /OTEL_TRACES_SAMPLER_ARG/);
    assert.throws(
      () => settingsOf({ ...collector, OTEL_EXPORTER_OTLP_HEADERS: 'nothing' }),
      /OTEL_EXPORTER_OTLP_HEADERS/,
    );
  });
});

describe('spans', () => {
  const entry = { name: 'entry', kind: 'server', parent: null, attributes: {} } as const;

  test('cost work nothing while nothing is traced, and change neither its result nor its failure', async () => {
    assert.equal(
      await tracedEntry(entry, async () => traced('part', {}, async () => currentOrigin().traceparent)),
      null,
    );
    await assert.rejects(
      traced('part', {}, () => Promise.reject(new Error('as ever'))),
      /as ever/,
    );
  });

  test('go out in the binary form, too, with ids and never with what failed in words', async () => {
    const collector = await startOtlpReceiver();
    const settings = settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'binary' });
    const stop = await startTracing(settings, log);
    try {
      const failing = tracedEntry(entry, () =>
        traced('failing part', {}, () => Promise.reject(new Error('of somebody'))),
      );
      await assert.rejects(failing, /of somebody/);
    } finally {
      await stop();
    }
    const [request] = await eventually(() => collector.requests.length > 0 && collector.requests);
    assert.equal(request?.path, '/v1/traces');
    assert.equal(request.headers['content-type'], 'application/x-protobuf');
    const body = request.body.toString('latin1');
    assert.match(body, /failing part/);
    assert.match(body, /internal_error/);
    assert.doesNotMatch(body, /of somebody/);
    await collector.close();
  });

  test('follow what the caller has decided, and the sampler where nobody has', async () => {
    const collector = await startOtlpReceiver();
    const stop = await startTracing(
      settingsOf({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_TRACES_SAMPLER: 'parentbased_always_off',
      }),
      log,
    );
    const parent = (flags: string): string => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`;
    await tracedEntry({ ...entry, name: 'unasked' }, async () => undefined);
    await tracedEntry({ ...entry, name: 'unwanted', parent: parent('00') }, async () => undefined);
    await tracedEntry({ ...entry, name: 'wanted', parent: parent('01') }, () =>
      traced('its part', {}, async () => undefined),
    );
    await stop();
    assert.deepEqual(
      collector
        .spans()
        .map(({ name }) => name)
        .toSorted(),
      ['its part', 'wanted'],
    );
    await collector.close();
  });

  test('a collector that is away keeps nobody waiting at the end', async () => {
    const stop = await startTracing(settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }), log);
    await tracedEntry(entry, async () => undefined);
    const begun = performance.now();
    await stop();
    assert.ok(performance.now() - begun < 5_000);
  });

  test('a traceparent that is none is not gone on with', () => {
    assert.equal(isTraceparent(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`), true);
    for (const bad of [
      '',
      `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
      `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`,
      `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`,
    ]) {
      assert.equal(isTraceparent(bad), false, bad);
    }
  });
});

test('what outlives a request is not done for it', async () => {
  const origin = { requestId: 'r', traceparent: null };
  await inScope(origin, async () => {
    assert.equal(currentOrigin().requestId, 'r');
    await Promise.resolve();
    assert.equal(currentOrigin().requestId, 'r');
    assert.equal(
      outsideRequests(() => currentOrigin().requestId),
      null,
    );
  });
  assert.equal(currentOrigin().requestId, null);
});

describe('the table of metrics', () => {
  test('names each once, in base units, with a sentence', () => {
    const names = metricEntries.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { name, help } of metricEntries) {
      assert.match(name, /^(warden|process)_[a-z0-9_]+$/);
      assert.match(help, /^[A-Z0-9].*\.$/);
    }
  });

  test('is exposed as it stands, also before anything is there to be looked at', async () => {
    const metrics = createMetrics({ isPerSession: true });
    const { observer } = metrics;
    observer.requestAnswered({
      operation: 'sendText',
      method: 'POST',
      status: 429,
      durationMs: 12,
      error: 'rate_limited',
    });
    observer.eventCommitted({
      name: 'message_failed',
      data: { message_id: '3EB0', chat: '15551234567@s.whatsapp.net', code: 'a code "of" a stranger\n', reason: '' },
    });
    observer.sendAcknowledged(-5);
    observer.childEnded('memory');
    observer.ipcRefused();
    observer.deliveryAttempted('dead', 1500);
    const text = await metrics.render();
    const families = readExposition(text);
    assert.deepEqual(lint(families), []);
    assert.deepEqual(
      families.map(({ name }) => name),
      metricEntries.map(({ name }) => name),
    );
    assert.equal(valueOf(families, 'warden_http_requests_total', { status: '4xx' }), 1);
    assert.equal(valueOf(families, 'warden_http_errors_total', { code: 'rate_limited' }), 1);
    assert.equal(valueOf(families, 'warden_messages_failed_total', { code: 'other' }), 1);
    assert.equal(valueOf(families, 'warden_webhook_attempt_duration_seconds_bucket', { le: '2.5' }), 1);
    assert.equal(valueOf(families, 'warden_send_latency_seconds_sum'), 0);
    assert.doesNotMatch(text, /15551234567|stranger/);
  });
});
