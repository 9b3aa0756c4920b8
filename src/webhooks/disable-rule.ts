/** When a webhook whose receiver keeps failing is given up. Pure. */
import type { EndpointHealth } from '../store/webhook-records.ts';

const dayMs = 24 * 3_600_000;
/** Failures of a single day are an accident, however long the silence around them is. */
const fewestDays = 2;

/**
 * Why it is given up, in words, or null: when it has failed for so many days without one success, on two of them at
 * least. `afterDays` 0 gives up nobody.
 */
export function disableReason(
  { failingSince, failureDays, lastError }: EndpointHealth,
  now: number,
  afterDays: number,
): string | null {
  if (afterDays === 0 || failingSince === null) return null;
  if (now - failingSince < afterDays * dayMs || failureDays < fewestDays) return null;
  const error = lastError === null ? '' : ` The last failure: ${lastError}.`;
  return `Its receiver has failed for ${afterDays} days without one success.${error} Repair it, then enable the webhook: what waits is kept.`;
}

export const goneReason = 'Its receiver answered 410 Gone; delete it, or enable it when the receiver is back.';
