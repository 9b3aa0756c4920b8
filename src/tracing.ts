/**
 * Spans, without a library: what makes them is put in when traces are configured, and as long as it is not, work runs as
 * if nothing were here. Attributes are ids, names, sizes and codes, never what people write.
 */
import { toWardenError } from './contract/errors.ts';
import type { ChildNotices } from './contract/ipc.ts';
import { currentOrigin, inScope } from './request-scope.ts';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;
export type SpanKind = 'internal' | 'server' | 'client' | 'consumer' | 'producer';

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: SpanAttributes;
  /** As W3C Trace Context writes it; null begins a trace. */
  readonly parent: string | null;
  /** Unix milliseconds; now when absent. */
  readonly startedAt?: number;
}

export interface Span {
  /** As W3C Trace Context writes it. */
  readonly traceparent: string;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** With the code of the error that ended the work, or null; `at` in unix milliseconds. */
  end(error: string | null, at?: number): void;
}

export interface Tracer {
  begin(start: SpanStart): Span;
}

let tracer: Tracer | null = null;

/** From now on spans are made by this; null makes none. */
export function setTracer(next: Tracer | null): void {
  tracer = next;
}

/** The part of a span that work may see. */
export type OpenSpan = Pick<Span, 'rename' | 'set'>;
const unseen: OpenSpan = { rename: () => undefined, set: () => undefined };

/** Does a part of something that is traced; what nobody traces is only done. */
export async function traced<Value>(
  name: string,
  attributes: SpanAttributes,
  work: (span: OpenSpan) => Promise<Value>,
): Promise<Value> {
  const { traceparent } = currentOrigin();
  if (tracer === null || traceparent === null) return work(unseen);
  return within(tracer.begin({ name, kind: 'internal', attributes, parent: traceparent }), work);
}

/** Does what may begin a trace, or goes on with one that came from elsewhere. */
export async function tracedEntry<Value>(
  start: Omit<SpanStart, 'startedAt'>,
  work: (span: OpenSpan) => Promise<Value>,
): Promise<Value> {
  return tracer === null ? work(unseen) : within(tracer.begin(start), work);
}

/** Adds what a child did to the trace that its request belongs to. */
export function addChildSpan({ parent, name, startedAt, durationMs, attributes, error }: ChildNotices['span']): void {
  if (tracer === null || !isTraceparent(parent)) return;
  tracer.begin({ name, kind: 'internal', attributes, parent, startedAt }).end(error, startedAt + durationMs);
}

/** Whether a text is a traceparent of version 00 that names a trace. Source: W3C Trace Context, section 3.2. */
export const isTraceparent = (text: string): boolean =>
  /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(text);

async function within<Value>(span: Span, work: (span: OpenSpan) => Promise<Value>): Promise<Value> {
  try {
    const value = await inScope({ ...currentOrigin(), traceparent: span.traceparent }, () => work(span));
    span.end(null);
    return value;
  } catch (error) {
    span.end(toWardenError(error).code);
    throw error;
  }
}
