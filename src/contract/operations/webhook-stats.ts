/** How the webhooks of all sessions do. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { unixSeconds } from '../schemas.ts';
import { exampleWebhook, webhookResource } from './webhook-resource.ts';

const count = z.int().min(0);

const failingWebhook = webhookResource
  .pick({ id: true, url: true, enabled: true, disabled_reason: true, health: true })
  .extend({ session_id: z.string() })
  .meta({ id: 'FailingWebhook' });

export const webhookStatsOperations = {
  getWebhookStats: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/stats/webhooks',
    tag: 'Gateway',
    scope: 'admin',
    summary: 'Get how the webhooks of all sessions do',
    description: 'Those whose receivers fail are listed, at most 20: first those that the gateway has disabled.',
    params: z.strictObject({}),
    result: z.object({
      webhooks: count,
      disabled: count.describe('By the gateway, or by somebody.'),
      queue_depth: count.describe('Deliveries that wait.'),
      oldest_pending_at: unixSeconds.nullable(),
      held: count.describe('Deliveries that wait for their webhooks to be enabled.'),
      dead: count.describe('Deliveries whose retry schedules are used up; they can be replayed.'),
      failing: count.describe('Webhooks whose last attempt failed, or that the gateway has disabled.'),
      failing_webhooks: z.array(failingWebhook),
    }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: {
      params: {},
      result: {
        webhooks: 12,
        disabled: 0,
        queue_depth: 1042,
        oldest_pending_at: 1_767_225_600,
        held: 0,
        dead: 3,
        failing: 1,
        failing_webhooks: [
          {
            id: exampleWebhook.id,
            session_id: 'support',
            url: exampleWebhook.url,
            enabled: true,
            disabled_reason: null,
            health: {
              state: 'open',
              consecutive_failures: 12,
              failing_since: 1_767_225_600,
              retry_at: 1_767_225_900,
              last_success_at: 1_767_225_590,
              last_failure_at: 1_767_225_660,
              last_error: 'the connection was refused',
              queue_depth: 1042,
              oldest_pending_at: 1_767_225_600,
            },
          },
        ],
      },
    },
  }),
} as const;
