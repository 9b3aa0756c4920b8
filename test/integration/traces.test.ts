import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { currentOrigin } from '../../src/request-scope.ts';
import { startTracing } from '../../src/telemetry/start-tracing.ts';
import { traceSettings, type TraceSettings } from '../../src/telemetry/trace-settings.ts';
import { isTraceparent, traced, tracedEntry } from '../../src/tracing.ts';
import { eventually } from '../support/eventually.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';

setLogLevel('silent');
const log = logger('test');
const settingsOf = (environment: Readonly<Record<string, string>>): TraceSettings | null =>
  traceSettings(readConfig(environment, { dotEnvPath: null }), '1.2.3');

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
