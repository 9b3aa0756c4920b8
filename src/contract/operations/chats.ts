/** What the store knows of messages and chats. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { messageId, recipient, unixSeconds } from '../schemas.ts';

const messageResource = z
  .object({
    message_id: z.string(),
    chat: z.string(),
    from: z.string(),
    is_from_me: z.boolean(),
    type: z.string(),
    body: z.string().nullable(),
    timestamp: unixSeconds,
    status: z.enum(['received', 'scheduled', 'accepted', 'sent', 'delivered', 'read', 'played', 'failed']),
    error_code: z.string().nullable().describe("WhatsApp's own code of a failure."),
    edited_at: unixSeconds.nullable(),
    deleted_at: unixSeconds.nullable(),
    media: z
      .object({
        mimetype: z.string().nullable(),
        file_length: z.int().nullable(),
        file_name: z.string().nullable(),
        seconds: z.int().nullable(),
        url: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'Message' });

const exampleMessage = {
  message_id: '3EB0C431C26A1916E07E',
  chat: '15551234567@s.whatsapp.net',
  from: '15550001111@s.whatsapp.net',
  is_from_me: true,
  type: 'text',
  body: 'Hello from Warden',
  timestamp: 1_767_225_600,
  status: 'delivered',
  error_code: null,
  edited_at: null,
  deleted_at: null,
  media: null,
} as const;

const page = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
};
const stored = {
  runs: 'gateway',
  method: 'GET',
  tag: 'Messages',
  scope: 'read',
  status: 200,
  deadlineMs: 10_000,
  idempotent: false,
} as const;

export const chatOperations = {
  listMessages: defineOperation({
    ...stored,
    path: '/sessions/:id/messages',
    summary: 'List messages, newest first',
    params: z.strictObject({
      ...page,
      chat: recipient.optional(),
      direction: z.enum(['in', 'out']).optional(),
      search: z.string().min(2).max(200).optional().describe('Part of the text.'),
    }),
    result: z.object({ messages: z.array(messageResource), total: z.int(), next_cursor: z.string().nullable() }),
    errors: [],
    example: { params: {}, result: { messages: [exampleMessage], total: 1, next_cursor: null } },
  }),
  getMessage: defineOperation({
    ...stored,
    path: '/sessions/:id/messages/:message_id',
    summary: 'Get a message',
    params: z.strictObject({ message_id: messageId }),
    result: messageResource,
    errors: ['message_not_found'],
    example: { params: { message_id: '3EB0C431C26A1916E07E' }, result: exampleMessage },
  }),
  getMessageTimeline: defineOperation({
    ...stored,
    path: '/sessions/:id/messages/:message_id/timeline',
    summary: 'Get how far a message has come, and when',
    params: z.strictObject({ message_id: messageId }),
    result: z.object({
      message_id: z.string(),
      status: messageResource.shape.status,
      events: z.array(z.object({ status: z.string(), at: unixSeconds, error_code: z.string().nullable() })),
    }),
    errors: ['message_not_found'],
    example: {
      params: { message_id: '3EB0C431C26A1916E07E' },
      result: {
        message_id: '3EB0C431C26A1916E07E',
        status: 'sent',
        events: [
          { status: 'accepted', at: 1_767_225_600, error_code: null },
          { status: 'sent', at: 1_767_225_601, error_code: null },
        ],
      },
    },
  }),
  listChats: defineOperation({
    ...stored,
    path: '/sessions/:id/chats',
    summary: 'List chats, the latest first',
    params: z.strictObject(page),
    result: z.object({
      chats: z.array(
        z.object({
          chat: z.string(),
          is_group: z.boolean(),
          last_message: messageResource,
          message_count: z.int(),
        }),
      ),
      total: z.int(),
      next_cursor: z.string().nullable(),
    }),
    errors: [],
    example: {
      params: {},
      result: {
        chats: [
          { chat: '15551234567@s.whatsapp.net', is_group: false, last_message: exampleMessage, message_count: 1 },
        ],
        total: 1,
        next_cursor: null,
      },
    },
  }),
} as const;
