/** What the screens of the simulated phone show: contacts, groups, chats, and what is going wrong on purpose. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { messageId, person, unixSeconds } from '../schemas.ts';
import { groupJid } from './groups.ts';
import { exampleGroup, sandboxGroup } from './sandbox-groups.ts';
import { inboxMessage } from './sandbox-messages.ts';

const basics = {
  runs: 'gateway',
  tag: 'Sandbox',
  scope: 'read',
  method: 'GET',
  deadlineMs: 30_000,
  idempotent: false,
  status: 200,
} as const;
const errors = ['not_a_sandbox_session', 'not_paired', 'sandbox_unavailable'] as const;

export const sandboxContact = z.object({
  phone: z.string(),
  jid: z.string(),
  lid: z.string(),
  name: z.string(),
  registered: z.boolean(),
  behaviour: z.string(),
  addressing: z.string(),
  about: z.string(),
  picture_id: z.string().nullable(),
  is_business: z.boolean(),
});
export const exampleContact: z.output<typeof sandboxContact> = {
  phone: '15551234567',
  jid: '15551234567@s.whatsapp.net',
  lid: '100000000000002@lid',
  name: 'First contact',
  registered: true,
  behaviour: 'reads',
  addressing: 'lid',
  about: 'Hey there! I am using WhatsApp.',
  picture_id: null,
  is_business: false,
};

const writer = z
  .enum(['session', 'phone', 'contact'])
  .describe("session: through the gateway; phone: on the account's own phone; contact: a simulated person.");
const tick = unixSeconds.nullable();

const { location, contacts, poll } = inboxMessage.shape;
const chatMessage = z.object({
  message_id: z.string(),
  from: writer,
  author: z.string(),
  author_name: z.string(),
  at: unixSeconds,
  type: z.string(),
  text: z.string().nullable().describe('As it reads now, after the latest edit.'),
  caption: z.string().nullable(),
  quoted: z.object({ message_id: z.string(), text: z.string().nullable() }).nullable(),
  media: z
    .object({
      mimetype: z.string().nullable(),
      file_length: z.int().nullable(),
      file_name: z.string().nullable(),
      seconds: z.int().nullable(),
      ptt: z.boolean(),
      view_once: z.boolean(),
      thumbnail: z.string().nullable().describe('The JPEG that the message carries, in base64.'),
      sha256: z.string().nullable().describe('Of a file of the session, once its reader has decrypted it; hex.'),
      failure: z.string().nullable().describe('Why the reader could not have the file.'),
    })
    .optional(),
  location,
  contacts,
  poll,
  forwarded: z.boolean().optional(),
  edited: z.boolean(),
  deleted: z.boolean(),
  reactions: z.array(z.object({ by: z.string(), by_name: z.string(), emoji: z.string() })),
  receipts: z
    .array(z.object({ by: z.string(), by_name: z.string(), delivered_at: tick, read_at: tick, played_at: tick }))
    .describe('What each reader has told its author of it: of what a contact wrote, what the session has told.'),
});

const exampleMessage: z.output<typeof chatMessage> = {
  message_id: '3EB0C431C26A1916E07E',
  from: 'session',
  author: '15550001111@s.whatsapp.net',
  author_name: '15550001111',
  at: 1_767_225_600,
  type: 'text',
  text: 'Hello from Warden',
  caption: null,
  quoted: null,
  edited: false,
  deleted: false,
  reactions: [],
  receipts: [
    {
      by: '15551234567@s.whatsapp.net',
      by_name: 'First contact',
      delivered_at: 1_767_225_600,
      read_at: 1_767_225_600,
      played_at: null,
    },
  ],
};

export const sandboxPhoneOperations = {
  sandboxListContacts: defineOperation({
    ...basics,
    path: '/sessions/:id/sandbox/contacts',
    summary: 'List the simulated contacts of the session',
    description:
      'Those that were created through the session since it is paired, and all who have a chat with it; the latest chat first.',
    params: z.strictObject({
      limit: z.coerce.number().int().min(1).max(500).default(200),
      search: z.string().trim().max(100).optional().describe('Part of a name or number.'),
    }),
    result: z.object({
      contacts: z.array(
        sandboxContact.extend({
          last_message: z
            .object({ at: unixSeconds, type: z.string(), text: z.string().nullable(), from: writer })
            .nullable(),
        }),
      ),
      total: z.int(),
    }),
    errors,
    example: {
      params: {},
      result: {
        contacts: [
          {
            ...exampleContact,
            last_message: { at: 1_767_225_600, type: 'text', text: 'Hello from Warden', from: 'session' },
          },
        ],
        total: 1,
      },
    },
  }),
  sandboxListGroups: defineOperation({
    ...basics,
    path: '/sessions/:id/sandbox/groups',
    summary: 'List the groups that the session is in, as WhatsApp has them',
    params: z.strictObject({}),
    result: z.object({ groups: z.array(sandboxGroup) }),
    errors,
    example: { params: {}, result: { groups: [exampleGroup] } },
  }),
  sandboxChat: defineOperation({
    ...basics,
    path: '/sessions/:id/sandbox/chat',
    summary: 'See a chat as a contact sees it',
    description:
      'Both directions in order, the oldest first: what the session sent, as this contact decrypted it, and what people wrote. Edits, deletions and reactions are folded into the messages that they change.',
    params: z.strictObject({
      contact: person.describe('Whose chat it is; in a group, through whose eyes it is seen.'),
      group: groupJid.optional().describe('The JID of a group that both are in.'),
      limit: z.coerce.number().int().min(1).max(500).default(100),
      before: messageId.optional().describe('Only what was written before this message.'),
    }),
    result: z.object({ messages: z.array(chatMessage), has_more: z.boolean() }),
    errors: [...errors, 'contact_not_found', 'unprocessable'],
    example: {
      params: { contact: '15551234567' },
      result: { messages: [exampleMessage], has_more: false },
    },
  }),
  sandboxListFaults: defineOperation({
    ...basics,
    path: '/sessions/:id/sandbox/faults',
    summary: 'List the faults that are on',
    params: z.strictObject({}),
    result: z.object({
      faults: z.array(
        z.object({
          fault: z.string(),
          code: z.int().nullable(),
          delay_ms: z.int().nullable(),
          count: z.int().nullable().describe('How often it will still strike; null without a limit.'),
          until: unixSeconds.nullable(),
        }),
      ),
    }),
    errors,
    example: {
      params: {},
      result: { faults: [{ fault: 'slow_acks', code: null, delay_ms: 5000, count: null, until: null }] },
    },
  }),
} as const;
