/** One message to many recipients. */
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { recipient, unixSeconds } from '../schemas.ts';
import { messageOperations } from './messages.ts';

export const maxBulkRecipients = 10_000;

/** What a message in bulk can be, and the send that it is made with. */
export const bulkSends = {
  text: 'sendText',
  image: 'sendImage',
  video: 'sendVideo',
  audio: 'sendAudio',
  document: 'sendDocument',
  sticker: 'sendSticker',
  location: 'sendLocation',
  contact: 'sendContact',
  poll: 'sendPoll',
} as const;
export type BulkSendName = (typeof bulkSends)[keyof typeof bulkSends];

/** The fields of a send without those that name one recipient, or a message of one chat. */
function variant<Type extends keyof typeof bulkSends>(type: Type) {
  const fields: Readonly<Record<string, z.ZodType>> = messageOperations[bulkSends[type]].params.shape;
  const shared = Object.entries(fields).filter(([name]) => !['to', 'message_id', 'reply_to', 'send_at'].includes(name));
  return z.strictObject({ type: z.literal(type), ...Object.fromEntries(shared) });
}

const bulkMessage = z
  .discriminatedUnion('type', [
    variant('text'),
    variant('image'),
    variant('video'),
    variant('audio'),
    variant('document'),
    variant('sticker'),
    variant('location'),
    variant('contact'),
    variant('poll'),
  ])
  .describe('The fields of that send without `to`. `text` and `caption` may hold `{{name}}`, filled from `variables`.');

const bulkRecipient = z.union([
  recipient.transform((to) => ({ to, variables: {} })),
  z.strictObject({
    to: recipient,
    variables: z
      .record(z.string().regex(/^\w{1,64}$/, 'a name of letters, digits and underscores'), z.string().max(4096))
      .default({}),
  }),
]);

const counts = z.object({
  total: z.int(),
  queued: z.int().describe('Not begun.'),
  sending: z.int().describe('Accepted, and not acknowledged by WhatsApp.'),
  sent: z.int(),
  delivered: z.int(),
  read: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  skipped: z.int().describe('Named more than once.'),
});

export const recipientState = z.enum([
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'failed',
  'cancelled',
  'skipped',
]);
export type RecipientState = z.output<typeof recipientState>;

const bulkStatus = z
  .enum(['scheduled', 'running', 'paused', 'cancelled', 'finished'])
  .describe('`scheduled` until `start_at`; `finished` once every recipient has been sent to or has failed.');

const bulkResource = z
  .object({
    bulk_id: z.string(),
    name: z.string().nullable(),
    type: z.string(),
    status: bulkStatus,
    status_reason: z.string(),
    counts,
    per_minute: z.int().describe('Messages of the last minute.'),
    estimated_end: unixSeconds.nullable().describe('As far as it can be told; null unless it is under way.'),
    held_until: unixSeconds.nullable().describe('Pacing, or a missing connection, holds it back until then.'),
    held_reason: z.string().nullable(),
    interval_ms: z.int(),
    jitter_ms: z.int(),
    start_at: unixSeconds,
    created_at: unixSeconds,
    finished_at: unixSeconds.nullable(),
  })
  .meta({ id: 'Bulk' });

const exampleId = 'bulk_01JGQ0000000000000000000';
const exampleCounts = {
  total: 2,
  queued: 1,
  sending: 0,
  sent: 1,
  delivered: 0,
  read: 0,
  failed: 0,
  cancelled: 0,
  skipped: 0,
} as const;
const exampleBulk: z.output<typeof bulkResource> = {
  bulk_id: exampleId,
  name: 'January news',
  type: 'text',
  status: 'running',
  status_reason: 'Messages are being sent.',
  counts: exampleCounts,
  per_minute: 12,
  estimated_end: 1_767_225_660,
  held_until: null,
  held_reason: null,
  interval_ms: 3000,
  jitter_ms: 2000,
  start_at: 1_767_225_600,
  created_at: 1_767_225_600,
  finished_at: null,
};

const bulkId = z.string().min(1).max(64);
const one = z.strictObject({ bulk_id: bulkId });
const page = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
};

const readsBulk = {
  runs: 'gateway',
  method: 'GET',
  tag: 'Bulk',
  scope: 'read',
  status: 200,
  deadlineMs: 15_000,
  idempotent: false,
} as const;

const changesBulk = {
  runs: 'gateway',
  method: 'POST',
  tag: 'Bulk',
  scope: 'send',
  params: one,
  result: bulkResource,
  status: 200,
  deadlineMs: 15_000,
  idempotent: false,
  errors: ['bulk_not_found', 'bulk_is_over'] satisfies readonly ErrorCode[],
} as const;

export const bulkOperations = {
  createBulk: defineOperation({
    runs: 'gateway',
    method: 'POST',
    tag: 'Bulk',
    scope: 'send',
    holdsFile: true,
    path: '/sessions/:id/messages/bulk',
    summary: 'Send one message to many recipients',
    description:
      'Media is uploaded once. Messages go out one after the other at the pace of the session, which leaves room for answers; see GET …/bulk/:bulk_id for how far it is.',
    params: z.strictObject({
      message: bulkMessage,
      recipients: z.array(bulkRecipient).min(1).max(maxBulkRecipients),
      pacing: z
        .strictObject({
          interval_ms: z.int().min(0).max(3_600_000).default(3000).describe('At least so long between two messages.'),
          jitter_ms: z.int().min(0).max(3_600_000).default(2000).describe('And by chance up to so much longer.'),
        })
        .default({ interval_ms: 3000, jitter_ms: 2000 }),
      start_at: unixSeconds.optional().describe('At most 30 days ahead; with media 12.'),
      name: z.string().trim().min(1).max(200).optional(),
      message_ttl_seconds: z
        .int()
        .min(10)
        .max(86_400)
        .optional()
        .describe('How long a message whose turn has come may wait for a connection.'),
    }),
    result: z.object({
      bulk_id: z.string(),
      accepted: z.int().describe('Recipients that will be sent to.'),
      duplicates: z.int().describe('Recipients that were named before; each is sent to once.'),
      duplicate_recipients: z
        .array(z.object({ index: z.int(), to: z.string() }))
        .describe('The first hundred of them, by their place in the request.'),
      status: bulkStatus,
    }),
    status: 202,
    deadlineMs: 180_000,
    idempotent: true,
    errors: [
      'session_not_connected',
      'media_unreachable',
      'media_type_not_supported',
      'media_too_large',
      'media_not_found',
      'converter_missing',
      'storage_full',
      'media_upload_failed',
    ],
    example: {
      params: {
        name: 'January news',
        message: { type: 'text', text: 'Hello {{name}}' },
        recipients: [
          { to: '+15551234567', variables: { name: 'Ann' } },
          { to: '+15557654321', variables: { name: 'Bob' } },
        ],
      },
      result: { bulk_id: exampleId, accepted: 2, duplicates: 0, duplicate_recipients: [], status: 'running' },
    },
  }),
  listBulks: defineOperation({
    ...readsBulk,
    path: '/sessions/:id/bulk',
    summary: 'List bulks, newest first',
    params: z.strictObject(page),
    result: z.object({ bulks: z.array(bulkResource), total: z.int(), next_cursor: z.string().nullable() }),
    errors: [],
    example: { params: {}, result: { bulks: [exampleBulk], total: 1, next_cursor: null } },
  }),
  getBulk: defineOperation({
    ...readsBulk,
    path: '/sessions/:id/bulk/:bulk_id',
    summary: 'Get how far a bulk is',
    params: one,
    result: bulkResource,
    errors: ['bulk_not_found'],
    example: { params: { bulk_id: exampleId }, result: exampleBulk },
  }),
  listBulkRecipients: defineOperation({
    ...readsBulk,
    path: '/sessions/:id/bulk/:bulk_id/recipients',
    summary: 'List the recipients of a bulk in their order',
    params: z.strictObject({ bulk_id: bulkId, ...page, state: recipientState.optional() }),
    result: z.object({
      recipients: z.array(
        z.object({
          index: z.int().describe('Its place in the request.'),
          to: z.string(),
          state: recipientState,
          message_id: z.string().nullable(),
          code: z.string().nullable().describe('Why it failed or was skipped.'),
        }),
      ),
      total: z.int(),
      next_cursor: z.string().nullable(),
    }),
    errors: ['bulk_not_found'],
    example: {
      params: { bulk_id: exampleId, state: 'sent' },
      result: {
        recipients: [
          {
            index: 0,
            to: '15551234567@s.whatsapp.net',
            state: 'sent',
            message_id: '3EB0C431C26A1916E07E',
            code: null,
          },
        ],
        total: 1,
        next_cursor: null,
      },
    },
  }),
  pauseBulk: defineOperation({
    ...changesBulk,
    path: '/sessions/:id/bulk/:bulk_id/pause',
    summary: 'Pause a bulk',
    description: 'A message whose turn has come already still goes out.',
    example: {
      params: { bulk_id: exampleId },
      result: { ...exampleBulk, status: 'paused', status_reason: 'It was paused.', estimated_end: null },
    },
  }),
  resumeBulk: defineOperation({
    ...changesBulk,
    path: '/sessions/:id/bulk/:bulk_id/resume',
    summary: 'Go on with a paused bulk',
    example: { params: { bulk_id: exampleId }, result: exampleBulk },
  }),
  cancelBulk: defineOperation({
    ...changesBulk,
    path: '/sessions/:id/bulk/:bulk_id/cancel',
    summary: 'Cancel what a bulk has not begun',
    description: 'Messages that were accepted already still go out.',
    example: {
      params: { bulk_id: exampleId },
      result: {
        ...exampleBulk,
        status: 'cancelled',
        status_reason: 'It was cancelled.',
        counts: { ...exampleCounts, queued: 0, cancelled: 1 },
        estimated_end: null,
        finished_at: 1_767_225_630,
      },
    },
  }),
} as const;
