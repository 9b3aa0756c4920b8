/**
 * The breaker of an endpoint. Pure.
 *
 * Closed: deliveries go out as they fall due, and failures in a row are counted. After so many of them it opens.
 * Open: nothing is sent, and nothing that waits loses an attempt, until `retryAt`.
 * Half-open: one delivery tries whether the receiver is back. If it is, the breaker closes and all that waits is due; if
 * not, it is open again for twice as long, up to a limit.
 *
 * The health it works on lies in the database and times are the database's, so that many gateways act as one.
 */
import type { EndpointHealth } from '../store/webhook-records.ts';

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export interface Failure {
  readonly now: number;
  readonly error: string;
  /** How long the receiver wants to be left alone; null when it did not say. */
  readonly retryAfterMs: number | null;
}

/** Of a webhook that nothing has been sent to. */
export const freshHealth: EndpointHealth = {
  consecutiveFailures: 0,
  failingSince: null,
  failureDays: 0,
  lastSuccessAt: null,
  lastFailureAt: null,
  lastError: null,
  pauseMs: null,
  retryAt: null,
  probeUntil: null,
};

const dayMs = 24 * 3_600_000;

/** After an answer that says success: whatever was before is forgiven. */
export function afterSuccess(health: EndpointHealth, now: number): EndpointHealth {
  return {
    ...health,
    consecutiveFailures: 0,
    failingSince: null,
    failureDays: 0,
    lastSuccessAt: now,
    pauseMs: null,
    retryAt: null,
    probeUntil: null,
  };
}

export function afterFailure(health: EndpointHealth, failure: Failure, settings: BreakerSettings): EndpointHealth {
  const { now, error } = failure;
  const isFirst = health.failingSince === null;
  const isNewDay = isFirst || dayOf(now) !== dayOf(health.lastFailureAt ?? now);
  const failed: EndpointHealth = {
    ...health,
    consecutiveFailures: health.consecutiveFailures + 1,
    failingSince: health.failingSince ?? now,
    failureDays: (isFirst ? 0 : health.failureDays) + (isNewDay ? 1 : 0),
    lastFailureAt: now,
    lastError: error,
  };
  const pauseMs = nextPauseMs(failed, settings);
  if (pauseMs === null) return failed;
  return { ...failed, pauseMs, retryAt: now + Math.max(pauseMs, failure.retryAfterMs ?? 0), probeUntil: null };
}

/** After an attempt that the gateway broke off: it says nothing of the receiver, and another one may try. */
export function afterInterruption(health: EndpointHealth): EndpointHealth {
  return { ...health, probeUntil: null };
}

export function breakerStateOf({ retryAt, probeUntil }: EndpointHealth, now: number): 'closed' | 'open' | 'half_open' {
  if (retryAt === null) return 'closed';
  return probeUntil !== null && probeUntil > now ? 'half_open' : 'open';
}

/** How long the breaker is to be open from now on; null when this failure changes nothing. */
function nextPauseMs(failed: EndpointHealth, settings: BreakerSettings): number | null {
  if (failed.retryAt === null) {
    return failed.consecutiveFailures >= settings.failures ? settings.firstPauseMs : null;
  }
  // Attempts that were under way when it opened end after that, and are no probes.
  if (failed.probeUntil === null) return null;
  return Math.min((failed.pauseMs ?? settings.firstPauseMs) * 2, settings.longestPauseMs);
}

const dayOf = (unixMs: number): number => Math.floor(unixMs / dayMs);
