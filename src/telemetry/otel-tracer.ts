/**
 * Spans by the OpenTelemetry SDK, sent to a collector. The only file that loads it, and itself loaded only when a
 * collector is configured: the SDK costs the supervisor memory.
 */
import {
  diag,
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
  type DiagLogger,
  type SpanContext,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever } from '../contract/assert-never.ts';
import type { Logger } from '../log.ts';
import { isTraceparent, type Span, type SpanKind, type SpanStart, type Tracer } from '../tracing.ts';
import type { SamplerName, TraceSettings } from './trace-settings.ts';

export interface RunningTracer {
  readonly tracer: Tracer;
  /** Sends what waits, for as long as the collector may take. Never rejects. */
  stop(): Promise<void>;
}

/** Spans wait so long for others to be sent with. */
const batchDelayMs = 2_000;
/** A collector that hangs must not keep the gateway from ending. */
const farewellMs = 2_000;

export async function startOtelTracer(settings: TraceSettings, log: Logger): Promise<RunningTracer> {
  diag.setLogger(complaintsTo(log));
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      ...settings.resource,
      'service.name': settings.serviceName,
      'service.version': settings.version,
    }),
    sampler: samplerOf(settings.sampler, settings.ratio),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: await exporterOf(settings),
        scheduledDelayMillis: batchDelayMs,
        exportTimeoutMillis: settings.timeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer('warden', settings.version);
  return {
    tracer: {
      begin: (start) => {
        const span = tracer.startSpan(
          start.name,
          {
            kind: kinds[start.kind],
            attributes: start.attributes,
            ...(start.startedAt === undefined ? {} : { startTime: start.startedAt }),
          },
          contextOf(start),
        );
        return spanOf(span);
      },
    },
    stop: () => Promise.race([provider.shutdown().catch(() => undefined), pause(farewellMs)]),
  };
}

const pause = (delayMs: number): Promise<void> => delay(delayMs, undefined, { ref: false });

const kinds = {
  internal: OtelKind.INTERNAL,
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  consumer: OtelKind.CONSUMER,
  producer: OtelKind.PRODUCER,
} as const satisfies Record<SpanKind, OtelKind>;

function spanOf(span: ReturnType<ReturnType<TracerProvider['getTracer']>['startSpan']>): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    rename: (name) => void span.updateName(name),
    set: (attributes) => void span.setAttributes(attributes),
    end: (error, at) => {
      if (error !== null) {
        span.setAttribute('error.type', error);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end(at);
    },
  };
}

function contextOf({ parent, kind }: SpanStart) {
  if (parent === null || !isTraceparent(parent)) return ROOT_CONTEXT;
  const [, traceId = '', spanId = '', flags = '00'] = parent.split('-');
  const context: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: kind === 'server' };
  return trace.setSpanContext(ROOT_CONTEXT, context);
}

function samplerOf(name: SamplerName, ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return assertNever(name);
  }
}

async function exporterOf({ protocol, url, headers, timeoutMs }: TraceSettings): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
}

/** A collector that is away is told once in a while, and hurts nothing else. */
function complaintsTo(log: Logger): DiagLogger {
  const pauseMs = 60_000;
  let toldAt = Number.NEGATIVE_INFINITY;
  const complain = (): void => {
    if (performance.now() - toldAt < pauseMs) return;
    toldAt = performance.now();
    log.warn('traces could not be sent to the collector');
  };
  const quiet = (): void => undefined;
  return { error: complain, warn: complain, info: quiet, debug: quiet, verbose: quiet };
}
