/** When a child that ended unasked is started again. Pure. Times are monotonic milliseconds. */
import type { RestartPolicy } from './settings.ts';

/** What is remembered of a child's failures. */
export interface FailureRecord {
  /** Unplanned exits since the last good run. */
  readonly failures: number;
  /** Times of unplanned exits within the crash-loop window. */
  readonly crashTimes: readonly number[];
  /** Retries in a row that waited for the longest delay. */
  readonly longWaits: number;
  readonly lastRecycleAt: number | null;
}

export interface RestartDecision {
  readonly record: FailureRecord;
  readonly delayMs: number;
  readonly isCrashLoop: boolean;
  /** The failures in a row are more than the policy allows. */
  readonly isOver: boolean;
}

export const noFailures: FailureRecord = { failures: 0, crashTimes: [], longWaits: 0, lastRecycleAt: null };

const recycleDelayMs = 1000;
const recycleWindowMs = 300_000;
const jitter = 0.25;

/**
 * Delays of base·2ⁿ with ±25 % of jitter, capped. A crash loop (more crashes in the window than allowed, or the second
 * wait at the cap) is a state that people see; retries go on at the cap. `random` is from 0 to below 1.
 */
export function afterCrash(
  record: FailureRecord,
  policy: RestartPolicy,
  at: { now: number; random: number },
): RestartDecision {
  const crashTimes = [...record.crashTimes.filter((time) => at.now - time < policy.crashLoopWindowMs), at.now];
  const plainMs = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(record.failures, 30));
  const longWaits = plainMs >= policy.maxMs ? record.longWaits + 1 : 0;
  const isCrashLoop = crashTimes.length > policy.crashLoopCount || longWaits >= 2;
  const delayMs = Math.round((isCrashLoop ? policy.maxMs : plainMs) * (1 - jitter + 2 * jitter * at.random));
  const failures = record.failures + 1;
  const isOver = policy.limit > 0 && failures > policy.limit;
  return { record: { ...record, failures, crashTimes, longWaits }, delayMs, isCrashLoop, isOver };
}

/** A child that was replaced returns at once, but only once in a while; more often it counts as a crash. */
export function afterRecycle(
  record: FailureRecord,
  policy: RestartPolicy,
  at: { now: number; random: number },
): RestartDecision {
  const isRare = record.lastRecycleAt === null || at.now - record.lastRecycleAt >= recycleWindowMs;
  const noted = { ...record, lastRecycleAt: at.now };
  return isRare
    ? { record: noted, delayMs: recycleDelayMs, isCrashLoop: false, isOver: false }
    : afterCrash(noted, policy, at);
}
