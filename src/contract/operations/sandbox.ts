import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { inboxMessage, sandboxMessageParams } from './sandbox-messages.ts';
import { exampleContact, sandboxContact } from './sandbox-phone.ts';
import { actionResult, messageId, phone, recipient } from '../schemas.ts';

const sandboxBasics = {
  runs: 'gateway',
  tag: 'Sandbox',
  deadlineMs: 30_000,
  idempotent: false,
} as const;

export const sandboxFaults = z.enum([
  'logout',
  'replaced',
  'stream_error',
  'disconnect',
  'deaf',
  'slow_acks',
  'drop_acks',
  'refuse_send',
  'garble',
  'refuse_login',
  'ban',
  'outdated',
  'silent',
  'mute_queries',
  'slow_usync',
  'media_down',
  'media_gone',
  'media_slow',
  'media_cut',
  'media_corrupt',
]);

const paired = z.object({ phone_number: z.string(), jid: z.string(), lid: z.string() });

export const sandboxOperations = {
  sandboxScan: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/scan',
    scope: 'manage',
    summary: 'Scan the QR code with the simulated phone',
    description: 'Waits for a code when there is none yet; answers when the session is paired.',
    params: z.strictObject({
      phone: phone.optional().describe('The number of the simulated phone; made up when absent.'),
    }),
    result: paired,
    status: 200,
    errors: ['not_a_sandbox_session', 'already_paired', 'not_pairing', 'unprocessable', 'sandbox_unavailable'],
    example: {
      params: { phone: '+15550001111' },
      result: { phone_number: '15550001111', jid: '15550001111@s.whatsapp.net', lid: '100000000000001@lid' },
    },
  }),
  sandboxEnterCode: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/enter-code',
    scope: 'manage',
    summary: 'Type a pair code into the simulated phone',
    params: z.strictObject({ code: z.string().min(8).max(9) }),
    result: paired,
    status: 200,
    errors: ['not_a_sandbox_session', 'already_paired', 'wrong_pair_code', 'sandbox_unavailable'],
    example: {
      params: { code: 'ABCD-EFGH' },
      result: { phone_number: '15550001111', jid: '15550001111@s.whatsapp.net', lid: '100000000000001@lid' },
    },
  }),
  sandboxCreateContact: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/contacts',
    scope: 'manage',
    summary: 'Create or change a simulated contact',
    description: 'What is left out stays as it is.',
    params: z.strictObject({
      phone,
      name: z.string().trim().min(1).max(100).optional(),
      registered: z.boolean().optional().describe('Whether the number is on WhatsApp; it is when absent.'),
      behaviour: z.enum(['silent', 'delivers', 'reads', 'echoes']).optional().describe('delivers when absent.'),
      addressing: z.enum(['lid', 'pn']).optional().describe('Which address its messages come from; lid when absent.'),
      about: z.string().max(1000).optional().describe('The about text.'),
      about_hidden: z.boolean().optional(),
      picture: z.base64().max(1_000_000).nullable().optional().describe('A JPEG in base64; null removes the picture.'),
      picture_hidden: z.boolean().optional(),
      forbids_group_add: z.boolean().optional().describe('Whether groups may only invite it, and not add it.'),
      is_business: z.boolean().optional(),
      business: z
        .strictObject({
          name: z.string().max(200).optional(),
          description: z.string().max(2000).optional(),
          address: z.string().max(500).optional(),
          email: z.string().max(200).optional(),
          website: z.string().max(500).optional(),
          category: z.string().max(200).optional(),
        })
        .optional(),
    }),
    result: sandboxContact,
    status: 201,
    errors: ['not_a_sandbox_session', 'sandbox_unavailable'],
    example: {
      params: { phone: '+15551234567', name: 'First contact', behaviour: 'reads' },
      result: exampleContact,
    },
  }),
  sandboxSendMessage: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    holdsFile: true,
    path: '/sessions/:id/sandbox/messages',
    scope: 'manage',
    summary: 'Let a contact write to the session',
    description:
      'A contact that does not exist yet is created. `from: "phone"` writes from the account\'s own phone to `to`.',
    params: sandboxMessageParams,
    result: z.object({ message_id: z.string() }),
    status: 201,
    errors: [
      'not_a_sandbox_session',
      'not_paired',
      'message_not_found',
      'contact_not_found',
      'group_not_found',
      'unprocessable',
      'sandbox_unavailable',
    ],
    example: { params: { from: '+15551234567', text: 'Hi there' }, result: { message_id: '3AF00C431C26A1916E07' } },
  }),
  sandboxInbox: defineOperation({
    ...sandboxBasics,
    method: 'GET',
    path: '/sessions/:id/sandbox/inbox',
    scope: 'read',
    summary: 'Read what contacts received from the session',
    description: "Decrypted by the simulated contacts and by the account's own phone.",
    params: z.strictObject({
      contact: recipient.optional(),
      since: z.coerce.number().int().min(0).optional().describe('Unix seconds.'),
    }),
    result: z.object({ messages: z.array(inboxMessage) }),
    status: 200,
    errors: ['not_a_sandbox_session', 'sandbox_unavailable'],
    example: {
      params: { contact: '15551234567' },
      result: {
        messages: [
          {
            message_id: '3EB0C431C26A1916E07E',
            to: '15551234567@s.whatsapp.net',
            chat: '15551234567@s.whatsapp.net',
            type: 'text',
            text: 'Hello from Warden',
            caption: null,
            quoted_id: null,
            at: 1_767_225_600,
            raw: { conversation: 'Hello from Warden' },
          },
        ],
      },
    },
  }),
  sandboxReceipt: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/receipts',
    scope: 'manage',
    summary: 'Let the recipient of a message send a receipt',
    params: z.strictObject({
      message_id: messageId,
      type: z.enum(['delivered', 'read', 'played']),
      contact: recipient.optional().describe('Whose receipt; needed in groups.'),
    }),
    result: actionResult,
    status: 200,
    errors: ['not_a_sandbox_session', 'message_not_found', 'contact_not_found', 'sandbox_unavailable'],
    example: {
      params: { message_id: '3EB0C431C26A1916E07E', type: 'read' },
      result: { success: true, message: 'Receipt sent.' },
    },
  }),
  sandboxSetFault: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/faults',
    scope: 'manage',
    summary: 'Let WhatsApp misbehave towards this session',
    description:
      'logout, replaced, stream_error(code) and disconnect happen at once; the others last until they are cleared or used up.',
    params: z.strictObject({
      fault: sandboxFaults,
      code: z
        .int()
        .min(1)
        .max(999)
        .optional()
        .describe('For stream_error, refuse_send, refuse_login, media_down and media_gone.'),
      count: z.int().min(1).max(10_000).optional().describe('For drop_acks, refuse_send and garble: how many.'),
      delay_ms: z.int().min(0).max(600_000).optional().describe('For slow_acks and media_slow.'),
      seconds: z.int().min(1).max(31_536_000).optional().describe('For ban: until it ends.'),
    }),
    result: actionResult,
    status: 200,
    errors: ['not_a_sandbox_session', 'not_paired', 'sandbox_unavailable'],
    example: { params: { fault: 'disconnect' }, result: { success: true, message: 'Fault set.' } },
  }),
  sandboxExpireMedia: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/media/expire',
    scope: 'manage',
    summary: 'Let WhatsApp forget the file of a message',
    description: 'The phone of the account can upload it again, unless it is gone from there too.',
    params: z.strictObject({
      message_id: messageId,
      from_phone: z.boolean().default(false).describe('Whether the phone has no copy either.'),
    }),
    result: actionResult,
    status: 200,
    errors: ['not_a_sandbox_session', 'not_paired', 'message_not_found', 'sandbox_unavailable'],
    example: {
      params: { message_id: '3AF00C431C26A1916E07' },
      result: { success: true, message: 'The file is gone.' },
    },
  }),
  sandboxClearFaults: defineOperation({
    ...sandboxBasics,
    method: 'DELETE',
    path: '/sessions/:id/sandbox/faults',
    scope: 'manage',
    summary: 'Clear the faults of this session',
    params: z.strictObject({ fault: sandboxFaults.optional().describe('Only this one; all when absent.') }),
    result: actionResult,
    status: 200,
    errors: ['not_a_sandbox_session', 'sandbox_unavailable'],
    example: { params: {}, result: { success: true, message: 'Faults cleared.' } },
  }),
  sandboxOracle: defineOperation({
    ...sandboxBasics,
    method: 'GET',
    path: '/sessions/:id/sandbox/oracle',
    scope: 'read',
    summary: 'See what the simulator found wrong with this session',
    params: z.strictObject({}),
    result: z.object({
      unknown_stanzas: z.array(z.string()),
      unacknowledged_stanzas: z.int().describe('Sent to the session and not answered yet.'),
      repeated_ratchet_positions: z.int().describe('Ciphertexts that reused a ratchet position; must stay 0.'),
      handshakes: z.int(),
      logins: z.int(),
      received_messages: z.int(),
      repeated_messages: z.int().describe('Received again under a known id, without anybody asking for it.'),
      unfounded_confirmations: z.int().describe('Confirmed by the session and never sent to it; must stay 0.'),
      delivered_messages: z.int(),
    }),
    status: 200,
    errors: ['not_a_sandbox_session', 'sandbox_unavailable'],
    example: {
      params: {},
      result: {
        unknown_stanzas: [],
        unacknowledged_stanzas: 0,
        repeated_ratchet_positions: 0,
        handshakes: 2,
        logins: 1,
        received_messages: 1,
        repeated_messages: 0,
        unfounded_confirmations: 0,
        delivered_messages: 1,
      },
    },
  }),
} as const;
