/** Normalises what the library rejects with: a Boom, an Error, the number of a WebSocket close, or undefined. */
import { isBoom } from '@hapi/boom';
import { WardenError } from '../../contract/errors.ts';

/** The error that a caller may see; `what` names the attempt, for example "look up the number". */
export function normaliseFailure(thrown: unknown, what: string): WardenError {
  if (thrown instanceof WardenError) return thrown;
  if (thrown === undefined) return timedOut(what);
  if (typeof thrown === 'number') return connectionLost(what, thrown);
  if (isBoom(thrown)) {
    const status = thrown.output.statusCode;
    if (status === 408) return timedOut(what, thrown);
    if (status === 428) return connectionLost(what, thrown);
    if (typeof thrown.data === 'number') return refused(thrown.message, thrown.data, thrown);
  }
  if (thrown instanceof Error && thrown.message.includes('Connection Closed')) return connectionLost(what, thrown);
  return new WardenError('internal_error', { message: `Could not ${what}.`, cause: thrown });
}

/** WhatsApp answered with an error code of its own. */
export function refused(text: string, code: number | string, cause?: unknown): WardenError {
  return new WardenError('whatsapp_refused', {
    message: `WhatsApp refused the request: ${text} (${code}).`,
    details: [{ field: 'whatsapp_code', expected: 'no error', received: String(code) }],
    cause,
  });
}

/** A query of the library resolves to undefined when it timed out; this tells it from an empty answer. */
export function answered<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw timedOut(what);
  return value;
}

function timedOut(what: string, cause?: unknown): WardenError {
  return new WardenError('whatsapp_timeout', {
    message: `WhatsApp did not answer in time (${what}); repeat the request.`,
    cause,
  });
}

function connectionLost(what: string, cause: unknown): WardenError {
  return new WardenError('session_not_connected', {
    message: `The connection to WhatsApp was lost (${what}); repeat the request when the session is connected again.`,
    cause,
    retryAfterMs: 2_000,
  });
}
