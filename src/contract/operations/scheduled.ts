/** Messages that are to be sent later: every send with `send_at` becomes one. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { actionResult, messageId, unixSeconds } from '../schemas.ts';
import { sendAt } from '../send-at.ts';

const scheduledMessage = z
  .object({
    message_id: z.string(),
    to: z.string().describe('The recipient as asked for; it is looked up when the message is sent.'),
    type: z.string(),
    body: z.string().nullable(),
    media: z.object({ mimetype: z.string(), file_length: z.int(), file_name: z.string().nullable() }).nullable(),
    send_at: unixSeconds,
    created_at: unixSeconds,
  })
  .meta({ id: 'ScheduledMessage' });

const exampleScheduled = {
  message_id: '3EB05C4D1E90A7B2F36C',
  to: '15551234567@s.whatsapp.net',
  type: 'text',
  body: 'Good morning',
  media: null,
  send_at: 1_801_297_800,
  created_at: 1_801_213_200,
};

const common = { runs: 'gateway', tag: 'Messages', status: 200, deadlineMs: 10_000, idempotent: false } as const;
const one = { path: '/sessions/:id/messages/scheduled/:message_id', scope: 'send' } as const;
const errors = ['message_not_found', 'message_not_scheduled'] as const;

export const scheduledOperations = {
  listScheduled: defineOperation({
    ...common,
    method: 'GET',
    scope: 'read',
    path: '/sessions/:id/messages/scheduled',
    summary: 'List messages that are to be sent later, the next one first',
    params: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().max(200).optional(),
    }),
    result: z.object({ messages: z.array(scheduledMessage), total: z.int(), next_cursor: z.string().nullable() }),
    errors: [],
    example: { params: {}, result: { messages: [exampleScheduled], total: 1, next_cursor: null } },
  }),
  rescheduleMessage: defineOperation({
    ...common,
    ...one,
    method: 'PATCH',
    summary: 'Send a scheduled message at another time',
    params: z.strictObject({ message_id: messageId, send_at: sendAt }),
    result: scheduledMessage,
    errors,
    example: {
      params: { message_id: exampleScheduled.message_id, send_at: '2027-01-31T09:30:00+01:00' },
      result: { ...exampleScheduled, send_at: 1_801_384_200 },
    },
  }),
  cancelScheduled: defineOperation({
    ...common,
    ...one,
    method: 'DELETE',
    summary: 'Cancel a scheduled message',
    description: 'Answers 409 when its time has come and it is being sent already.',
    params: z.strictObject({ message_id: messageId }),
    result: actionResult,
    errors,
    example: {
      params: { message_id: exampleScheduled.message_id },
      result: { success: true, message: 'Scheduled message cancelled.' },
    },
  }),
} as const;
