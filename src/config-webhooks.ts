/** The part of the configuration table that is about webhooks. */
import { durationMs, integer, networks, schedule, ValueProblem } from './config-variables.ts';

export const webhookVariables = {
  webhookTimeoutMs: durationMs({
    name: 'WEBHOOK_TIMEOUT_MS',
    fallback: '15000',
    sentence: 'How long a receiver may take to answer.',
  }),
  webhookRetrySchedule: schedule({
    name: 'WEBHOOK_RETRY_SCHEDULE',
    fallback: '0s,5s,30s,2m,10m,30m,1h,2h,5h,10h,14h,20h,24h',
    check: requireSomeRetries,
    sentence: 'Delays before the attempts of a delivery; after the last it is dead.',
  }),
  webhookConcurrency: integer({
    name: 'WEBHOOK_CONCURRENCY',
    fallback: '64',
    min: 1,
    max: 1_000,
    sentence: 'Deliveries under way at the same time.',
  }),
  outboundAllowCidr: networks({
    name: 'OUTBOUND_ALLOW_CIDR',
    fallback: '',
    sentence: 'Private networks that may be called by URLs from requests.',
  }),
} as const;

function requireSomeRetries(delaysMs: readonly number[]): void {
  if (delaysMs.length > 50) throw new ValueProblem('must have at most 50 entries');
}
