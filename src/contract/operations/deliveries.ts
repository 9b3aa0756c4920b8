/** The log of a webhook's deliveries, and sending them again. */
import { z } from 'zod';
import { eventNames } from '../events.ts';
import { defineOperation } from '../operation.ts';
import { actionResult, unixSeconds } from '../schemas.ts';
import { webhookIdParam } from './webhook-resource.ts';

const attempt = z
  .object({
    number: z.int().min(1),
    at: unixSeconds,
    duration_ms: z.int().min(0),
    http_status: z.int().nullable().describe('Null when the receiver did not answer.'),
    error: z.string().nullable().describe('Null when it was delivered.'),
    response_excerpt: z.string().nullable().describe('The first KiB of the answer.'),
  })
  .meta({ id: 'DeliveryAttempt' });

const status = z
  .enum(['pending', 'delivered', 'dead', 'held'])
  .describe('`dead`: its retry schedule is used up. `held`: it waits for its webhook to be enabled.');

const delivery = z
  .object({
    id: z.string().describe("The event's id, as the receiver sees it in `webhook-id`."),
    event: z.string(),
    sequence: z.int(),
    timestamp: unixSeconds.describe('When the event happened.'),
    status,
    created_at: unixSeconds,
    attempt_count: z.int().min(0),
    next_attempt_at: unixSeconds
      .nullable()
      .describe("When it is due; its webhook's breaker can put it off. Null when it is settled."),
    settled_at: unixSeconds.nullable(),
    attempts: z.array(attempt).describe('The latest, oldest first.'),
  })
  .meta({ id: 'Delivery' });

const deliveryParams = { webhook_id: webhookIdParam, delivery_id: z.string().min(1).max(64) };
const range = {
  from: z.coerce.number().int().min(0).max(9_999_999_999).optional(),
  to: z.coerce.number().int().min(0).max(9_999_999_999).optional(),
};
const isRange = ({ from, to }: { from?: number | undefined; to?: number | undefined }): boolean =>
  from === undefined || to === undefined || from < to;

const exampleIds = { webhook_id: 'wh_01JGQ0000000000000000000', delivery_id: 'evt_01JGQ0000000000000000000' };
const exampleDelivery: z.output<typeof delivery> = {
  id: exampleIds.delivery_id,
  event: 'message',
  sequence: 42,
  timestamp: 1_767_225_600,
  status: 'delivered',
  created_at: 1_767_225_600,
  attempt_count: 1,
  next_attempt_at: null,
  settled_at: 1_767_225_601,
  attempts: [
    {
      number: 1,
      at: 1_767_225_600,
      duration_ms: 84,
      http_status: 200,
      error: null,
      response_excerpt: 'ok',
    },
  ],
};

export const deliveryOperations = {
  listDeliveries: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/webhooks/:webhook_id/deliveries',
    tag: 'Webhooks',
    scope: 'read',
    summary: 'List the deliveries of a webhook with their attempts',
    description: 'Newest first. `from` and `to` (exclusive) are about when the gateway wrote the event down.',
    params: z
      .strictObject({
        webhook_id: webhookIdParam,
        status: status.optional(),
        event: z.enum(eventNames).optional(),
        ...range,
        limit: z.coerce.number().int().min(1).max(200).default(50),
        cursor: z.string().max(200).optional(),
      })
      .refine(isRange, { path: ['to'], message: 'a time after from' }),
    result: z.object({ deliveries: z.array(delivery), total: z.int(), next_cursor: z.string().nullable() }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['webhook_not_found'],
    example: {
      params: { webhook_id: exampleIds.webhook_id },
      result: { deliveries: [exampleDelivery], total: 1, next_cursor: null },
    },
  }),
  getDelivery: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/webhooks/:webhook_id/deliveries/:delivery_id',
    tag: 'Webhooks',
    scope: 'read',
    summary: 'Get a delivery with all its attempts and its body',
    params: z.strictObject(deliveryParams),
    result: delivery.extend({ body: z.unknown().describe('What the receiver gets.') }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['webhook_not_found', 'delivery_not_found'],
    example: {
      params: exampleIds,
      result: {
        ...exampleDelivery,
        body: {
          id: exampleDelivery.id,
          event: 'message',
          session_id: 'support',
          timestamp: 1_767_225_600,
          sequence: 42,
          data: { from: '15551234567@s.whatsapp.net', body: 'Hello' },
        },
      },
    },
  }),
  replayDelivery: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/webhooks/:webhook_id/deliveries/:delivery_id/replay',
    tag: 'Webhooks',
    scope: 'manage',
    summary: 'Send a delivery again',
    description: 'With the same id and body, from the beginning of the retry schedule; one that waits is due at once.',
    params: z.strictObject(deliveryParams),
    result: actionResult,
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['webhook_not_found', 'delivery_not_found'],
    example: { params: exampleIds, result: { success: true, message: 'The delivery is sent again.' } },
  }),
  replayDeliveries: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/webhooks/:webhook_id/replay',
    tag: 'Webhooks',
    scope: 'manage',
    summary: 'Send the deliveries of a time range again',
    description:
      'With the same ids and bodies. `from` and `to` (exclusive) are about when the gateway wrote the event down. `include_missed` also sends events that the webhook wants and had no delivery of: it was disabled, did not exist, or wanted something else then. Test deliveries are left out.',
    params: z
      .strictObject({
        webhook_id: webhookIdParam,
        // Numbers already, as a body has them: null and [] would be read as 0 otherwise.
        from: unixSeconds.optional(),
        to: unixSeconds.optional(),
        status: z.enum(['dead', 'delivered', 'all']).default('dead'),
        include_missed: z.boolean().default(false),
      })
      .refine(isRange, { path: ['to'], message: 'a time after from' })
      .refine(({ from, status: which }) => from !== undefined || which === 'dead', {
        path: ['from'],
        message: 'a time, unless it is dead deliveries that are sent again',
      })
      .refine(({ from, include_missed: withMissed }) => from !== undefined || !withMissed, {
        path: ['from'],
        message: 'a time, when missed events are sent',
      }),
    result: actionResult.extend({
      replayed: z.int().min(0).describe('Deliveries that are sent again.'),
      missed: z.int().min(0).describe('Events that are sent for the first time.'),
    }),
    status: 200,
    deadlineMs: 120_000,
    idempotent: false,
    errors: ['webhook_not_found'],
    example: {
      params: { webhook_id: exampleIds.webhook_id, from: 1_767_225_600, status: 'dead' },
      result: { success: true, message: '3 deliveries are sent.', replayed: 3, missed: 0 },
    },
  }),
} as const;
