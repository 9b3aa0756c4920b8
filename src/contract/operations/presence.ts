import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { actionResult, person, recipient } from '../schemas.ts';

const child = {
  runs: 'child',
  method: 'POST',
  tag: 'Presence',
  scope: 'send',
  result: actionResult,
  status: 200,
  deadlineMs: 30_000,
  idempotent: false,
} as const;

export const presenceOperations = {
  setPresence: defineOperation({
    ...child,
    path: '/sessions/:id/presence/set',
    summary: 'Show the account as online or offline',
    params: z.strictObject({ status: z.enum(['available', 'unavailable']) }),
    errors: ['session_not_connected'],
    example: { params: { status: 'available' }, result: { success: true, message: 'Presence set.' } },
  }),
  subscribePresence: defineOperation({
    ...child,
    path: '/sessions/:id/presence/subscribe',
    summary: "Be told of a contact's presence",
    description:
      'Presence events come while the account itself is available; the subscription is renewed after a reconnect.',
    params: z.strictObject({ jid: person }),
    errors: ['session_not_connected', 'recipient_not_on_whatsapp', 'whatsapp_timeout'],
    example: { params: { jid: '+15551234567' }, result: { success: true, message: 'Subscribed.' } },
  }),
  sendChatState: defineOperation({
    ...child,
    path: '/sessions/:id/chatstate/send',
    summary: 'Show "typing…" or "recording…" in a chat',
    params: z.strictObject({ to: recipient, state: z.enum(['composing', 'recording', 'paused']) }),
    errors: ['session_not_connected', 'recipient_not_on_whatsapp', 'whatsapp_timeout'],
    example: {
      params: { to: '+15551234567', state: 'composing' },
      result: { success: true, message: 'Chat state sent.' },
    },
  }),
  sendTyping: defineOperation({
    ...child,
    path: '/sessions/:id/chatstate/typing',
    summary: 'Show "typing…" for a while',
    description: 'Answers at once; the state is renewed and ends by itself.',
    params: z.strictObject({
      to: recipient,
      duration: z.int().min(500).max(60_000).default(3_000).describe('Milliseconds.'),
    }),
    errors: ['session_not_connected', 'recipient_not_on_whatsapp', 'whatsapp_timeout'],
    example: { params: { to: '+15551234567', duration: 2000 }, result: { success: true, message: 'Typing.' } },
  }),
} as const;
