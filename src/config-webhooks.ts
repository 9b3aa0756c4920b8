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
  webhookBreakerFailures: integer({
    name: 'WEBHOOK_BREAKER_FAILURES',
    fallback: '10',
    min: 1,
    max: 1_000_000,
    sentence: 'Failures in a row after which a receiver is left alone for a while.',
  }),
  webhookBreakerPauseMs: durationMs({
    name: 'WEBHOOK_BREAKER_PAUSE_MS',
    fallback: '30000',
    sentence: 'How long it is left alone at first; twice as long after each try in vain.',
  }),
  webhookBreakerMaxPauseMs: durationMs({
    name: 'WEBHOOK_BREAKER_MAX_PAUSE_MS',
    fallback: '300000',
    sentence: 'How long it is left alone at most.',
  }),
  webhookDisableAfterDays: integer({
    name: 'WEBHOOK_DISABLE_AFTER_DAYS',
    fallback: '5',
    min: 0,
    max: 3_650,
    unit: 'days',
    sentence: 'Days of nothing but failures after which a webhook is disabled; 0 disables none.',
  }),
  webhookSecretOverlapHours: integer({
    name: 'WEBHOOK_SECRET_OVERLAP_HOURS',
    fallback: '24',
    min: 0,
    max: 8_760,
    unit: 'hours',
    sentence: 'How long the old secret signs beside the new one after a rotation.',
  }),
  webhookDeadRetentionDays: integer({
    name: 'WEBHOOK_DEAD_RETENTION_DAYS',
    fallback: '30',
    min: 0,
    max: 36_500,
    unit: 'days',
    sentence: 'How long dead deliveries, and those that wait for a disabled webhook, are kept; 0 keeps them for ever.',
  }),
  eventRetentionDays: integer({
    name: 'EVENT_RETENTION_DAYS',
    fallback: '7',
    min: 0,
    max: 36_500,
    unit: 'days',
    sentence: 'How long events and their delivery log are kept at least; 0 keeps them for ever.',
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
