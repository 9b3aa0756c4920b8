/** The one error class of the gateway, and the form in which its errors cross processes. */
import { errorCatalogue } from './error-catalogue.ts';

export { errorCatalogue };

export type ErrorCode = keyof typeof errorCatalogue;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCatalogue, code);

/** One thing that is wrong with a request. `received` is shortened and never holds a secret. */
export interface ErrorDetail {
  readonly field: string;
  readonly expected: string;
  readonly received?: string;
}

/** An error as it crosses the IPC channel: Node's advanced serialization drops custom properties of Error objects. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: readonly ErrorDetail[];
  readonly retryAfterMs?: number;
}

interface WardenErrorOptions {
  readonly message?: string;
  readonly details?: readonly ErrorDetail[];
  /** How long the caller should wait before it repeats the request, milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** The one error class of the gateway; everything else is a bug and becomes `internal_error`. */
export class WardenError extends Error {
  override readonly name = 'WardenError';
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[] | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, options: WardenErrorOptions = {}) {
    super(options.message ?? errorCatalogue[code].sentence, { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  toPlain(): PlainError {
    return {
      code: this.code,
      message: this.message,
      ...(this.details ? { details: this.details } : {}),
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
    };
  }

  static fromPlain(plain: PlainError): WardenError {
    return new WardenError(plain.code, plain);
  }
}

/** Makes any thrown value a WardenError; what is not one already becomes `internal_error` with the original as cause. */
export function toWardenError(thrown: unknown): WardenError {
  return thrown instanceof WardenError ? thrown : new WardenError('internal_error', { cause: thrown });
}
