/** When the next attempt of a delivery is made. Pure. */

const seconds = 1000;
const minutes = 60 * seconds;
const hour = 60 * minutes;

/** Milliseconds before each attempt, counted from the one before it: 13 attempts in about three days. */
export const defaultRetryScheduleMs: readonly number[] = [
  0,
  5 * seconds,
  30 * seconds,
  2 * minutes,
  10 * minutes,
  30 * minutes,
  hour,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** No receiver can put a delivery off for longer than this at a time. */
export const retryAfterCapMs = 24 * hour;

const jitterShare = 0.2;

export interface RetryQuestion {
  /** Attempts made so far, the failed one included. */
  readonly attemptsMade: number;
  readonly scheduleMs: readonly number[];
  /** What the receiver asked for, or null. */
  readonly retryAfterMs: number | null;
  /** Between 0 and 1. */
  readonly random: number;
}

/**
 * Milliseconds to wait after a failed attempt, or null when the schedule is used up. The schedule's delay is spread by
 * ±20 % so that receivers do not meet all their retries at once; a longer Retry-After is honoured up to its cap.
 */
export function retryDelayMs({ attemptsMade, scheduleMs, retryAfterMs, random }: RetryQuestion): number | null {
  const planned = scheduleMs[attemptsMade];
  if (planned === undefined) return null;
  const spread = Math.round(planned * (1 - jitterShare + 2 * jitterShare * random));
  return Math.max(spread, Math.min(retryAfterMs ?? 0, retryAfterCapMs));
}

/** Milliseconds that a Retry-After header asks for (RFC 9110: seconds or an HTTP date), or null when it says nothing. */
export function parseRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * seconds;
  if (!/^[A-Za-z]{3},? /.test(text)) return null;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
