/** The part of the configuration table that is about Idempotency-Key. */
import { flag, integer } from './config-variables.ts';

export const idempotencyVariables = {
  requireIdempotency: flag({
    name: 'REQUIRE_IDEMPOTENCY',
    fallback: 'false',
    sentence: 'Whether requests that honour an Idempotency-Key are refused without one.',
  }),
  idempotencyTtlHours: integer({
    name: 'IDEMPOTENCY_TTL_H',
    fallback: '24',
    min: 1,
    max: 8_760,
    unit: 'hours',
    sentence: 'How long an Idempotency-Key is remembered.',
  }),
} as const;
