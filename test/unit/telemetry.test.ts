import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { currentOrigin, inScope, outsideRequests } from '../../src/request-scope.ts';
import { metricEntries } from '../../src/telemetry/metric-table.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { traceSettings, type TraceSettings } from '../../src/telemetry/trace-settings.ts';
import { lint, readExposition, valueOf } from '../support/exposition.ts';
import { sessionId } from '../support/store-fixtures.ts';

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

describe('a scrape', () => {
  const gigabyte = 1024 ** 3;
  const stats = {
    children: [],
    processes: {
      supervisor: { processes: 1, privateBytes: 5, pssBytes: null },
      postgres: null,
      simulator: null,
    },
    machine: { limitBytes: gigabyte, source: 'machine', totalBytes: gigabyte, freeBytes: 1 },
    admission: { capsBytes: 0, budgetBytes: 1, freeBytes: 1, overcommit: 4, reserveBytes: 1, maxSessions: 0 },
    breaker: { state: 'paused', deathsInWindow: 9, pausedMs: 1, trips: 1 },
    gates: { starting: 0, waitingToStart: 3, waitingToConnect: 0, startConcurrency: 2, connectRatePerSecond: 4 },
  } as const;
  const totals = {
    webhooks: 1,
    disabled: 0,
    queueDepth: 4,
    oldestPendingAt: 1_000,
    held: 0,
    dead: 2,
    failing: 0,
    failingWebhooks: [],
  };

  function watched(isPerSession: boolean) {
    const seen = { isAway: false };
    const metrics = createMetrics({ isPerSession });
    metrics.watch({
      version: '1.2.3',
      now: () => 61_000,
      stats: () => ({ ...stats, breaker: { ...stats.breaker } }),
      ping: () => (seen.isAway ? Promise.reject(new Error('away')) : Promise.resolve()),
      sessions: async () => [
        { id: sessionId('shop'), status: 'connected', child: { memoryBytes: 7, restarts: 1 } },
        { id: sessionId('desk'), status: 'disconnected', child: null },
      ],
      webhooks: async () => totals,
      webhookStates: async () => ({ closed: 1, open: 0, half_open: 0, off: 0 }),
      pool: () => ({ acquired: 1, idle: 2, waiting: 0, size: 10 }),
      spool: () => ({ usedBytes: 3, quotaBytes: 9 }),
      streams: () => 2,
      descriptors: () => ({ open: null, most: null }),
    });
    const scrape = async () => readExposition(await metrics.render());
    return { metrics, seen, scrape };
  }

  test('tells nothing that came from a database which does not answer any more', async () => {
    const { metrics, seen, scrape } = watched(true);
    const well = await scrape();
    assert.deepEqual(lint(well), []);
    assert.equal(valueOf(well, 'warden_webhook_queue_oldest_seconds'), 60);
    assert.equal(valueOf(well, 'warden_sessions', { status: 'connected' }), 1);
    seen.isAway = true;
    const away = await scrape();
    assert.equal(valueOf(away, 'warden_database_up'), 0);
    const ofDatabase = metricEntries.filter(({ isOfDatabase }) => isOfDatabase === true).map(({ name }) => name);
    assert.ok(ofDatabase.length > 5);
    for (const { name, samples } of away) if (ofDatabase.includes(name)) assert.deepEqual(samples, [], name);
    assert.equal(valueOf(away, 'warden_starts_paused'), 1);
    assert.equal(valueOf(away, 'warden_event_streams'), 2);
    seen.isAway = false;
    assert.equal(valueOf(await scrape(), 'warden_webhook_dead_letters'), 2);
    metrics.stop();
  });

  test('names sessions only where that is wanted', async () => {
    const one = watched(true);
    const named = await one.scrape();
    assert.equal(valueOf(named, 'warden_session_status', { session: 'shop', status: 'connected' }), 1);
    assert.equal(valueOf(named, 'warden_session_memory_bytes', { session: 'shop' }), 7);
    assert.equal(valueOf(named, 'warden_session_memory_bytes', { session: 'desk' }), undefined);
    one.metrics.stop();
    const other = watched(false);
    assert.ok(
      (await other.scrape()).every(({ samples }) => samples.every(({ labels }) => labels['session'] === undefined)),
    );
    other.metrics.stop();
  });
});
