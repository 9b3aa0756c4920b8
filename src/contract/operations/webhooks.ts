import { z } from 'zod';
import { eventNames } from '../events.ts';
import { defineOperation } from '../operation.ts';
import { actionResult, httpUrl, unixSeconds } from '../schemas.ts';

/** The events a webhook wants; `all` stands for every one, also for those to come. */
export const webhookEventList = z.array(z.enum([...eventNames, 'all'])).min(1);

export const webhookResource = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    enabled: z.boolean(),
    ordered: z.boolean().describe('Whether one delivery at a time is sent, in the order of the events.'),
    created_at: unixSeconds,
  })
  .meta({ id: 'Webhook' });

/** A webhook as its creation answers it: the only time its secret is shown. */
export const createdWebhook = webhookResource.extend({ secret: z.string() }).meta({ id: 'CreatedWebhook' });

const exampleWebhook = {
  id: 'wh_01JGQ0000000000000000000',
  url: 'https://example.com/hook',
  events: ['message', 'receipt'],
  enabled: true,
  ordered: false,
  created_at: 1_767_225_600,
};

export const webhookOperations = {
  createWebhook: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/webhooks',
    tag: 'Webhooks',
    scope: 'manage',
    summary: 'Register a webhook',
    description: 'The secret is shown once, in this answer. One is generated when none is given.',
    params: z.strictObject({
      url: httpUrl,
      secret: z.string().min(8).max(256).optional(),
      events: webhookEventList.default(['all']),
      ordered: z.boolean().default(false),
    }),
    result: createdWebhook,
    status: 201,
    deadlineMs: 10_000,
    idempotent: true,
    errors: ['webhook_exists'],
    example: {
      params: { url: 'https://example.com/hook', events: ['message', 'receipt'] },
      result: { ...exampleWebhook, secret: 'whsec_bm90IGEgcmVhbCBzZWNyZXQsIGFuIGV4YW1wbGU=' },
    },
  }),
  listWebhooks: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/webhooks',
    tag: 'Webhooks',
    scope: 'read',
    summary: 'List webhooks',
    params: z.strictObject({}),
    result: z.object({ webhooks: z.array(webhookResource), total: z.int(), next_cursor: z.string().nullable() }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: { params: {}, result: { webhooks: [exampleWebhook], total: 1, next_cursor: null } },
  }),
  deleteWebhook: defineOperation({
    runs: 'gateway',
    method: 'DELETE',
    path: '/sessions/:id/webhooks/:webhook_id',
    tag: 'Webhooks',
    scope: 'manage',
    summary: 'Delete a webhook',
    description: 'Deliveries that still wait for it are deleted with it.',
    params: z.strictObject({ webhook_id: z.string().min(1).max(64) }),
    result: actionResult,
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['webhook_not_found'],
    example: {
      params: { webhook_id: 'wh_01JGQ0000000000000000000' },
      result: { success: true, message: 'Webhook deleted.' },
    },
  }),
} as const;
