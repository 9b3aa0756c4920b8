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
  readonly lastMemoryExitAt: number | null;
}

export interface RestartDecision {
  readonly record: FailureRecord;
  readonly delayMs: number;
  readonly isCrashLoop: boolean;
}

export const noFailures: FailureRecord = { failures: 0, crashTimes: [], longWaits: 0, lastMemoryExitAt: null };

const memoryDelayMs = 1000;
const memoryWindowMs = 300_000;
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
  return { record: { ...record, failures: record.failures + 1, crashTimes, longWaits }, delayMs, isCrashLoop };
}

/** A child that outgrew its cap returns at once, but only once in a while; more often it counts as a crash. */
export function afterMemoryExit(
  record: FailureRecord,
  policy: RestartPolicy,
  at: { now: number; random: number },
): RestartDecision {
  const isRare = record.lastMemoryExitAt === null || at.now - record.lastMemoryExitAt >= memoryWindowMs;
  const noted = { ...record, lastMemoryExitAt: at.now };
  return isRare ? { record: noted, delayMs: memoryDelayMs, isCrashLoop: false } : afterCrash(noted, policy, at);
}
