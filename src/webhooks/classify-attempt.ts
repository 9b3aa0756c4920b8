/** What becomes of a delivery after an attempt. Pure. */
import { assertNever } from '../contract/assert-never.ts';
import type { DeliveryOutcome } from '../store/store.ts';
import { parseRetryAfter, retryDelayMs } from './schedule.ts';

/** How one HTTP request of a delivery ended. */
export type Attempt =
  | {
      readonly tag: 'answered';
      readonly status: number;
      readonly retryAfter: string | null;
      readonly durationMs: number;
    }
  | { readonly tag: 'failed'; readonly error: string; readonly durationMs: number }
  /** The gateway stopped in the middle: whether the receiver has it is unknown. */
  | { readonly tag: 'interrupted'; readonly durationMs: number };

export interface AttemptContext {
  /** Attempts made before this one. */
  readonly attemptsBefore: number;
  readonly scheduleMs: readonly number[];
  /** Unix milliseconds. */
  readonly now: number;
  /** Between 0 and 1. */
  readonly random: number;
}

/**
 * 2xx is delivered; 410 ends the delivery, as Standard Webhooks asks; everything else, redirects included, is tried
 * again until the schedule is used up. An interrupted attempt is due again at once.
 */
export function classifyAttempt(attempt: Attempt, context: AttemptContext): DeliveryOutcome {
  const { durationMs } = attempt;
  switch (attempt.tag) {
    case 'answered': {
      const { status } = attempt;
      if (status >= 200 && status < 300) return { tag: 'delivered', httpStatus: status, durationMs };
      if (status === 410)
        return { tag: 'dead', httpStatus: status, error: 'the receiver answered 410 Gone', durationMs };
      const error =
        status >= 300 && status < 400
          ? `the receiver answered ${status}; redirects are not followed`
          : `the receiver answered ${status}`;
      return again({ httpStatus: status, error, durationMs, retryAfter: attempt.retryAfter }, context);
    }
    case 'failed':
      return again({ httpStatus: null, error: attempt.error, durationMs, retryAfter: null }, context);
    case 'interrupted':
      return { tag: 'retry', httpStatus: null, error: 'the gateway stopped', durationMs, delayMs: 0 };
    default:
      return assertNever(attempt);
  }
}

interface Failure {
  readonly httpStatus: number | null;
  readonly error: string;
  readonly durationMs: number;
  readonly retryAfter: string | null;
}

function again({ httpStatus, error, durationMs, retryAfter }: Failure, context: AttemptContext): DeliveryOutcome {
  const delayMs = retryDelayMs({
    attemptsMade: context.attemptsBefore + 1,
    scheduleMs: context.scheduleMs,
    retryAfterMs: parseRetryAfter(retryAfter, context.now),
    random: context.random,
  });
  return delayMs === null
    ? { tag: 'dead', httpStatus, error, durationMs }
    : { tag: 'retry', httpStatus, error, durationMs, delayMs };
}
