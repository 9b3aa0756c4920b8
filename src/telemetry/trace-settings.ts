/** From the standard variables of OpenTelemetry to what the tracer is told. Pure. */

export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio';

export interface TraceSettings {
  readonly url: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  /** From 0 to 1. */
  readonly ratio: number;
  readonly version: string;
}

interface TraceVariables {
  readonly otelEndpoint: string | null;
  readonly otelTracesEndpoint: string | null;
  readonly otelProtocol: TraceSettings['protocol'];
  readonly otelHeaders: string | null;
  readonly otelTimeoutMs: number;
  readonly otelServiceName: string;
  readonly otelResourceAttributes: string | null;
  readonly otelSampler: SamplerName;
  readonly otelSamplerArg: number;
  readonly otelSdkDisabled: boolean;
}

/** Null when nothing is to be traced. Source: OpenTelemetry specification, "OTLP exporter" and "SDK environment variables". */
export function traceSettings(variables: TraceVariables, version: string): TraceSettings | null {
  const { otelEndpoint, otelTracesEndpoint } = variables;
  const url = otelTracesEndpoint ?? (otelEndpoint === null ? null : `${otelEndpoint}/v1/traces`);
  if (url === null || variables.otelSdkDisabled) return null;
  return {
    url,
    protocol: variables.otelProtocol,
    headers: pairs(variables.otelHeaders),
    timeoutMs: variables.otelTimeoutMs,
    serviceName: variables.otelServiceName,
    resource: pairs(variables.otelResourceAttributes),
    sampler: variables.otelSampler,
    ratio: variables.otelSamplerArg,
    version,
  };
}

function pairs(list: string | null): Readonly<Record<string, string>> {
  const entries = (list ?? '').split(',').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals <= 0 ? [] : [[pair.slice(0, equals).trim(), decoded(pair.slice(equals + 1).trim())] as const];
  });
  return Object.fromEntries(entries);
}

/** Values are percent-encoded; one that is not valid so is taken as it stands. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
