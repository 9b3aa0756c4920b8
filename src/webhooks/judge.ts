/** What an attempt means to the health of its webhook's receiver, and whether the webhook is given up for it. Pure. */
import type { EndpointHealth } from '../store/webhook-records.ts';
import { afterFailure, afterInterruption, afterSuccess, type BreakerSettings } from './breaker.ts';
import type { Verdict } from './classify-attempt.ts';
import { disableReason } from './disable-rule.ts';

export interface HealthSettings {
  readonly breaker: BreakerSettings;
  /** Days of nothing but failures after which a webhook is disabled; 0 disables none. */
  readonly disableAfterDays: number;
}

export interface Judgement {
  readonly health: EndpointHealth;
  /** Why the webhook is to be disabled; null when it is not. */
  readonly disable: string | null;
}

/** `verdict` is null for an attempt that says nothing of the receiver. */
export function judge(health: EndpointHealth, verdict: Verdict | null, at: JudgeContext): Judgement {
  if (verdict === null) return { health: afterInterruption(health), disable: null };
  if (verdict.tag === 'success') return { health: afterSuccess(health, at.now), disable: null };
  const { error, retryAfterMs } = verdict;
  const failed = afterFailure(health, { now: at.now, error, retryAfterMs }, at.settings.breaker);
  return { health: failed, disable: disableReason(failed, at.now, at.settings.disableAfterDays) };
}

export interface JudgeContext {
  /** Unix milliseconds of the database. */
  readonly now: number;
  readonly settings: HealthSettings;
}
