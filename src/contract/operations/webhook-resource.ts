/** A webhook as it is shown. */
import { z } from 'zod';
import { eventNames } from '../events.ts';
import { unixSeconds } from '../schemas.ts';
import { webhookConditionsResource } from './webhook-conditions.ts';

/** The events a webhook wants; `all` stands for every one, also for those to come. */
export const webhookEventList = z.array(z.enum([...eventNames.filter((name) => name !== 'test'), 'all'])).min(1);

const health = z
  .object({
    state: z
      .enum(['closed', 'open', 'half_open'])
      .describe(
        '`closed`: deliveries go out. `open`: the receiver kept failing and is left alone until `retry_at`. `half_open`: one delivery tries whether it is back.',
      ),
    consecutive_failures: z.int().min(0).describe('Failed attempts since the last success.'),
    failing_since: unixSeconds.nullable(),
    retry_at: unixSeconds.nullable().describe('When the receiver is tried again; null while the breaker is closed.'),
    last_success_at: unixSeconds.nullable(),
    last_failure_at: unixSeconds.nullable(),
    last_error: z.string().nullable(),
    queue_depth: z.int().min(0).describe('Deliveries that wait.'),
    oldest_pending_at: unixSeconds.nullable(),
  })
  .meta({ id: 'WebhookHealth' });

export const webhookResource = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    conditions: webhookConditionsResource.nullable(),
    enabled: z.boolean(),
    disabled_reason: z.string().nullable().describe('Why the gateway disabled it; null when it did not.'),
    ordered: z.boolean().describe('Whether the events of a chat are sent one at a time and in order.'),
    previous_secret_until: unixSeconds
      .nullable()
      .describe('Until when the secret before the last rotation signs, too; null when it does not.'),
    created_at: unixSeconds,
    health,
  })
  .meta({ id: 'Webhook' });

/** A webhook as it was just created: its secret is shown this once. */
export const createdWebhook = webhookResource
  .extend({
    secret: z
      .string()
      .nullable()
      .describe('Shown once: null in an answer that an Idempotency-Key repeats. Whoever lost it rotates the secret.'),
  })
  .meta({ id: 'CreatedWebhook' });

/** A webhook with the secret that it was just given. */
export const rotatedWebhook = webhookResource.extend({ secret: z.string() }).meta({ id: 'RotatedWebhook' });

export const webhookSecret = z.string().min(8).max(256);
export const webhookIdParam = z.string().min(1).max(64);

export const exampleWebhook: z.output<typeof webhookResource> = {
  id: 'wh_01JGQ0000000000000000000',
  url: 'https://example.com/hook',
  events: ['message', 'receipt'],
  conditions: null,
  enabled: true,
  disabled_reason: null,
  ordered: false,
  previous_secret_until: null,
  created_at: 1_767_225_600,
  health: {
    state: 'closed',
    consecutive_failures: 0,
    failing_since: null,
    retry_at: null,
    last_success_at: 1_767_225_700,
    last_failure_at: null,
    last_error: null,
    queue_depth: 0,
    oldest_pending_at: null,
  },
};
