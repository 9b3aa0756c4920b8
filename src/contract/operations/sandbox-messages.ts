/** Messages in the sandbox: what simulated people write, and what they receive. */
import { z } from 'zod';
import { messageId, phone, recipient, unixSeconds } from '../schemas.ts';

const card = z.strictObject({
  display_name: z.string().min(1).max(200),
  phones: z.array(phone).min(1).max(20),
});

export const sandboxMessageParams = z.strictObject({
  from: z.union([z.literal('phone'), recipient]).describe("A contact, or the account's own phone."),
  to: recipient.optional().describe("The chat, for messages from the account's own phone."),
  group: recipient.optional().describe('The group to write into.'),
  type: z
    .enum(['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contact', 'poll'])
    .default('text'),
  text: z.string().min(1).max(65_536).optional().describe('Of a text, or the new text of an edit.'),
  quoted_id: messageId.optional().describe('A message of the chat to reply to.'),
  mentions: z.array(recipient).max(1024).optional(),
  forwarded: z.boolean().optional(),
  ephemeral_seconds: z.int().min(1).max(7_776_000).optional(),
  view_once: z.boolean().optional(),
  file: z
    .strictObject({ base64: z.base64().min(4).max(90_000_000) })
    .optional()
    .describe('The file of image, video, audio, document and sticker.'),
  mimetype: z.string().max(100).optional(),
  file_name: z.string().min(1).max(255).optional(),
  caption: z.string().min(1).max(65_536).optional(),
  ptt: z.boolean().optional().describe('A voice note.'),
  seconds: z.int().min(0).max(86_400).optional(),
  thumbnail: z.base64().max(1_000_000).optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
  name: z.string().max(1000).optional().describe('Of a location.'),
  address: z.string().max(1000).optional(),
  contact: card.optional(),
  contacts: z.array(card).min(1).max(50).optional(),
  question: z.string().min(1).max(255).optional().describe('Of a poll.'),
  options: z.array(z.string().min(1).max(100)).max(12).optional().describe('Of a poll, or those that a vote chooses.'),
  selectable: z.int().min(0).max(12).optional(),
  edit_of: messageId.optional().describe('The message to edit, with `text`.'),
  delete_of: messageId.optional().describe('The message to delete for everyone.'),
  react_to: messageId.optional().describe('The message to react to, with `emoji`.'),
  emoji: z.string().max(32).optional().describe('Empty takes the reaction back.'),
  vote_in: messageId.optional().describe('The poll to vote in, with `options`.'),
  message_id: messageId.optional(),
});

export const inboxMessage = z.object({
  message_id: z.string(),
  to: z.string().describe('Who received this copy.'),
  chat: z.string(),
  type: z.string().describe('text, image … poll, edit, delete, reaction, poll_vote …'),
  text: z.string().nullable(),
  caption: z.string().nullable(),
  quoted_id: z.string().nullable(),
  at: unixSeconds,
  media: z
    .object({
      mimetype: z.string().nullable(),
      file_length: z.int().nullable(),
      sha256: z.string().nullable().describe('Of the file, once it was downloaded and decrypted; hex.'),
      file_name: z.string().nullable(),
      seconds: z.int().nullable(),
      ptt: z.boolean(),
      view_once: z.boolean(),
      failure: z.string().nullable().describe('Why the file could not be read.'),
    })
    .optional(),
  edit_of: z.string().optional().describe('The message that this one edits.'),
  delete_of: z.string().optional().describe('The message that this one deletes.'),
  edits: z
    .array(
      z.object({
        message_id: z.string(),
        text: z.string().nullable(),
        caption: z.string().nullable(),
        at: unixSeconds,
      }),
    )
    .optional()
    .describe('What this message was edited to.'),
  deleted: z.boolean().optional().describe('Whether this message was deleted.'),
  reaction: z.object({ emoji: z.string(), message_id: z.string() }).optional(),
  vote: z.object({ message_id: z.string(), options: z.array(z.string()).nullable() }).optional(),
  poll: z.object({ question: z.string(), options: z.array(z.string()), selectable: z.int() }).optional(),
  location: z
    .object({
      latitude: z.number(),
      longitude: z.number(),
      name: z.string().nullable(),
      address: z.string().nullable(),
    })
    .optional(),
  contacts: z.array(z.object({ display_name: z.string(), phones: z.array(z.string()) })).optional(),
  mentions: z.array(z.string()).optional(),
  forwarded: z.boolean().optional(),
  view_once: z.boolean().optional(),
  ephemeral_seconds: z.int().optional(),
  raw: z.unknown().describe('The decrypted protobuf as JSON.'),
});
