/** The part of the configuration table that is about metrics and traces. */
import { choice, decimal, flag, integer, text, url, ValueProblem } from './config-variables.ts';
import { secretWeakness } from './secret-strength.ts';

const shortestToken = 16;

function refuseWeakToken(token: string): void {
  const weakness = secretWeakness(token, shortestToken);
  if (weakness !== null) throw new ValueProblem(weakness);
}

/** A list of `name=value` with commas between them, percent-encoded as the W3C Baggage of OpenTelemetry. */
function refuseNoPairs(list: string): void {
  if (!list.split(',').every((pair) => /^[^=\s]+\s*=/.test(pair.trim()))) {
    throw new ValueProblem('must be pairs such as name=value, with commas between them');
  }
}

export const metricsVariables = {
  metricsPort: integer({
    name: 'METRICS_PORT',
    min: 1,
    max: 65_535,
    sentence: 'Port on which GET /metrics is answered, too; absent opens none.',
  }),
  metricsHost: text({
    name: 'METRICS_HOST',
    fallback: '127.0.0.1',
    sentence: 'Address that this port listens on.',
  }),
  metricsToken: text({
    name: 'METRICS_TOKEN',
    isSecret: true,
    check: refuseWeakToken,
    sentence:
      'Token that opens the metrics and nothing else, at least 16 characters; METRICS_PORT then asks for it, too.',
  }),
  metricsPerSession: flag({
    name: 'METRICS_PER_SESSION',
    fallback: 'false',
    sentence: 'Whether there are also metrics with the id of each session as a label.',
  }),
} as const;

export const traceVariables = {
  otelEndpoint: url({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    protocols: ['http', 'https'],
    sentence: 'A collector that takes traces by OTLP over HTTP, below /v1/traces; absent makes no traces.',
  }),
  otelTracesEndpoint: url({
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    protocols: ['http', 'https'],
    sentence: 'The whole address for traces, in place of the one above.',
  }),
  otelProtocol: choice({
    name: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    words: ['http/protobuf', 'http/json'],
    fallback: 'http/protobuf',
    sentence: 'How traces are encoded.',
  }),
  otelHeaders: text({
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    isSecret: true,
    check: refuseNoPairs,
    sentence: 'Headers for the collector, as name=value with commas between them.',
  }),
  otelTimeoutMs: integer({
    name: 'OTEL_EXPORTER_OTLP_TIMEOUT',
    fallback: '10000',
    min: 100,
    max: 60_000,
    unit: 'milliseconds',
    sentence: 'How long the collector may take.',
  }),
  otelServiceName: text({
    name: 'OTEL_SERVICE_NAME',
    fallback: 'warden',
    sentence: 'Name of this service in traces.',
  }),
  otelResourceAttributes: text({
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    check: refuseNoPairs,
    sentence: 'Further attributes of this service, as name=value with commas between them.',
  }),
  otelSampler: choice({
    name: 'OTEL_TRACES_SAMPLER',
    words: [
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ],
    fallback: 'parentbased_always_on',
    sentence: 'Which requests are traced.',
  }),
  otelSamplerArg: decimal({
    name: 'OTEL_TRACES_SAMPLER_ARG',
    fallback: '1',
    sentence: 'The part that a traceidratio takes, from above 0 to 1.',
  }),
  otelSdkDisabled: flag({
    name: 'OTEL_SDK_DISABLED',
    fallback: 'false',
    sentence: 'Whether traces are off although there is a collector.',
  }),
} as const;
