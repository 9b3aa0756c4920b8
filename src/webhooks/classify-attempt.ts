/** What becomes of a delivery after an attempt. Pure. */
import { assertNever } from '../contract/assert-never.ts';
import type { DeliveryOutcome } from '../store/webhook-records.ts';
import { parseRetryAfter, retryAfterCapMs, retryDelayMs } from './schedule.ts';

/** How one HTTP request of a delivery ended. */
export type Attempt =
  | {
      readonly tag: 'answered';
      readonly status: number;
      readonly retryAfter: string | null;
      /** The receiver asks that this delivery not be repeated. */
      readonly isAborted: boolean;
      /** The beginning of the body; null when there was none. */
      readonly excerpt: string | null;
      readonly durationMs: number;
    }
  | { readonly tag: 'failed'; readonly error: string; readonly durationMs: number }
  /** The gateway stopped in the middle: whether the receiver has it is unknown. */
  | { readonly tag: 'interrupted'; readonly durationMs: number };

export interface AttemptContext {
  /** Attempts made before this one in the present run through the schedule. */
  readonly attemptsBefore: number;
  /** False for an attempt made before its time, to find out whether the receiver is back. */
  readonly isDue: boolean;
  readonly scheduleMs: readonly number[];
  /** Unix milliseconds. */
  readonly now: number;
  /** Between 0 and 1. */
  readonly random: number;
}

/** Whether an attempt tells that the receiver has the delivery, or does not take it; null when it tells nothing. */
export type Verdict =
  | { readonly tag: 'success' }
  | { readonly tag: 'failure'; readonly error: string; readonly retryAfterMs: number | null; readonly isGone: boolean };

export const goneStatus = 410;

/** 2xx is success and everything else is failure, redirects included; an attempt that was broken off is neither. */
export function verdictOf(attempt: Attempt, now: number): Verdict | null {
  switch (attempt.tag) {
    case 'answered': {
      const { status } = attempt;
      if (status >= 200 && status < 300) return { tag: 'success' };
      const asked = parseRetryAfter(attempt.retryAfter, now);
      return {
        tag: 'failure',
        error: wordsFor(status),
        retryAfterMs: asked === null ? null : Math.min(asked, retryAfterCapMs),
        isGone: status === goneStatus,
      };
    }
    case 'failed':
      return { tag: 'failure', error: attempt.error, retryAfterMs: null, isGone: false };
    case 'interrupted':
      return null;
    default:
      return assertNever(attempt);
  }
}

/**
 * Success is delivered; 410 ends the delivery, as Standard Webhooks asks, and so does a receiver that wants no
 * repetition; every other failure is tried again until the schedule is used up. An interrupted attempt is due again at
 * once, and one made before its time leaves the delivery's schedule as it was.
 */
export function classifyAttempt(attempt: Attempt, context: AttemptContext): DeliveryOutcome {
  const { durationMs } = attempt;
  const { httpStatus, excerpt } = answerOf(attempt);
  const verdict = verdictOf(attempt, context.now);
  if (verdict === null) {
    const error = 'the gateway stopped';
    return context.isDue
      ? { tag: 'retry', httpStatus, error, durationMs, excerpt, delayMs: 0 }
      : { tag: 'probed', httpStatus, error, durationMs, excerpt };
  }
  if (verdict.tag === 'success') return { tag: 'delivered', httpStatus: httpStatus ?? 0, durationMs, excerpt };
  const { error, retryAfterMs, isGone } = verdict;
  const ended = { httpStatus, error, durationMs, excerpt };
  if (isGone) return { tag: 'dead', ...ended };
  if (attempt.tag === 'answered' && attempt.isAborted) {
    return { tag: 'dead', ...ended, error: `${error} and asked for no repetition` };
  }
  if (!context.isDue) return { tag: 'probed', ...ended };
  const delayMs = retryDelayMs({
    attemptsMade: context.attemptsBefore + 1,
    scheduleMs: context.scheduleMs,
    retryAfterMs,
    random: context.random,
  });
  return delayMs === null ? { tag: 'dead', ...ended } : { tag: 'retry', ...ended, delayMs };
}

function answerOf(attempt: Attempt): { readonly httpStatus: number | null; readonly excerpt: string | null } {
  return attempt.tag === 'answered'
    ? { httpStatus: attempt.status, excerpt: attempt.excerpt }
    : { httpStatus: null, excerpt: null };
}

function wordsFor(status: number): string {
  if (status === goneStatus) return 'the receiver answered 410 Gone';
  const isRedirect = status >= 300 && status < 400;
  return `the receiver answered ${status}${isRedirect ? '; redirects are not followed' : ''}`;
}
