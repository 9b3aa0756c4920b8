import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { messageId, recipient, unixSeconds } from '../schemas.ts';

/** The optional fields of every send. */
const sendOptions = {
  reply_to: messageId.optional().describe('The id of a message of that chat to quote.'),
  mentions: z
    .array(recipient)
    .min(1)
    .max(200)
    .optional()
    .describe('People to mention; the text names them as @number.'),
  message_id: messageId.optional().describe('The WhatsApp message id to use; chosen by the gateway when absent.'),
  typing_ms: z.int().min(0).max(25_000).optional().describe('Show "typing…" for so long before sending, milliseconds.'),
  ephemeral_seconds: z.int().min(0).max(7_776_000).optional().describe('Let the message disappear after so long.'),
};

/** What every send answers. */
export const sendResult = z
  .object({
    success: z.literal(true),
    message_id: z.string(),
    to: z.string().describe('The JID that the recipient was resolved to.'),
    timestamp: unixSeconds,
    status: z.enum(['sent', 'pending']).describe('`sent` once WhatsApp has acknowledged the message.'),
  })
  .meta({ id: 'SendResult' });

export const messageOperations = {
  sendText: defineOperation({
    runs: 'send',
    method: 'POST',
    path: '/sessions/:id/messages/text',
    tag: 'Messages',
    scope: 'send',
    summary: 'Send a text message',
    description: 'Answers 200 once WhatsApp has acknowledged the message, 202 with `pending` when it has not in time.',
    params: z.strictObject({
      to: recipient,
      text: z.string().min(1).max(65_536),
      link_preview: z.boolean().default(false),
      ...sendOptions,
    }),
    result: sendResult,
    status: 200,
    deadlineMs: 60_000,
    idempotent: true,
    errors: [
      'session_not_connected',
      'recipient_not_on_whatsapp',
      'message_not_found',
      'message_id_taken',
      'whatsapp_refused',
      'whatsapp_timeout',
    ],
    example: {
      params: { to: '+15551234567', text: 'Hello from Warden' },
      result: {
        success: true,
        message_id: '3EB0C431C26A1916E07E',
        to: '15551234567@s.whatsapp.net',
        timestamp: 1_767_225_600,
        status: 'sent',
      },
    },
  }),
} as const;
