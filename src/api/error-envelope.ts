/** The one shape of every failure that leaves the gateway. Pure. */
import { errorCatalogue, type ErrorDetail, type WardenError } from '../contract/errors.ts';

export interface ErrorEnvelope {
  readonly success: false;
  /** Only with 401 and 403, where clients of the published contract look for it. */
  readonly message?: string;
  readonly error: {
    readonly code: number;
    readonly type: string;
    readonly message: string;
    readonly details: readonly ErrorDetail[];
    readonly request_id: string;
    readonly retryable: boolean;
  };
}

/** Hides what is behind an internal error: its sentence points to the log. */
export function errorEnvelope(error: WardenError, requestId: string): ErrorEnvelope {
  const { status, sentence, retryable } = errorCatalogue[error.code];
  const isInternal = error.code === 'internal_error';
  const message = isInternal ? sentence : error.message;
  return {
    success: false,
    ...(status === 401 || status === 403 ? { message } : {}),
    error: {
      code: status,
      type: error.code,
      message,
      details: isInternal ? [] : (error.details ?? []),
      request_id: requestId,
      retryable,
    },
  };
}

/** Seconds for Retry-After: of every 429 and 503, at least 1; null for the others. */
export function retryAfterSeconds(error: WardenError): number | null {
  const { status } = errorCatalogue[error.code];
  if (status !== 429 && status !== 503 && error.retryAfterMs === undefined) return null;
  return Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
}
