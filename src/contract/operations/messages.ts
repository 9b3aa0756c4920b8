import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { exampleMp4, exampleOgg, exampleText } from './media-examples.ts';
import { sendAt } from '../send-at.ts';
import { actionResult, examplePng, httpUrl, messageId, phone, recipient, unixSeconds } from '../schemas.ts';

/** The optional fields of every send. */
const sendOptions = {
  reply_to: messageId.optional().describe('The id of a message of that chat to quote.'),
  mentions: z
    .union([z.literal('all'), z.array(recipient).min(1).max(1024)])
    .optional()
    .describe('People to mention; the text names them as @number. In groups "all" mentions everybody.'),
  message_id: messageId.optional().describe('The WhatsApp message id to use; chosen by the gateway when absent.'),
  typing_ms: z.int().min(0).max(25_000).optional().describe('Show "typing…" for so long before sending, milliseconds.'),
  ephemeral_seconds: z.int().min(0).max(7_776_000).optional().describe('Let the message disappear after so long.'),
  send_at: sendAt.optional(),
};

/** Where media comes from: exactly one of these, or a multipart field `file`. */
const mediaSource = {
  url: httpUrl.optional().describe('Fetched by the gateway; private addresses are refused.'),
  base64: z.string().min(4).max(90_000_000).optional().describe('With or without a `data:…;base64,` prefix.'),
  media_id: z.string().min(1).max(64).optional().describe('What POST …/media/upload answered.'),
  mimetype: z
    .string()
    .max(100)
    .regex(/^[\w.+-]+\/[\w.+-]+(;.*)?$/, 'a media type such as image/jpeg')
    .optional(),
};

const caption = z.string().max(65_536).optional();
const filename = z.string().min(1).max(255).optional();

/** What every send answers. */
export const sendResult = z
  .object({
    success: z.literal(true),
    message_id: z.string(),
    to: z.string().describe('The JID that the recipient was resolved to.'),
    timestamp: unixSeconds,
    status: z
      .enum(['sent', 'pending', 'scheduled', 'delivered', 'read', 'played'])
      .describe(
        '`sent` once WhatsApp has acknowledged the message, `scheduled` with `send_at`; what came later is told to a request that is repeated.',
      ),
    send_at: unixSeconds.optional().describe('Of a scheduled message.'),
    held_until: unixSeconds.optional().describe('Of a pending message that pacing holds back: when it may go out.'),
    held_reason: z.string().optional(),
  })
  .meta({ id: 'SendResult' });

const exampleSend = {
  success: true,
  message_id: '3EB0C431C26A1916E07E',
  to: '15551234567@s.whatsapp.net',
  timestamp: 1_767_225_600,
  status: 'sent',
} as const;

const sendErrors = [
  'session_not_connected',
  'recipient_not_on_whatsapp',
  'group_not_found',
  'message_not_found',
  'message_id_taken',
  'pacing_limit',
  'whatsapp_refused',
  'whatsapp_timeout',
] as const satisfies readonly ErrorCode[];

const mediaErrors = [
  ...sendErrors,
  'media_unreachable',
  'media_type_not_supported',
  'media_too_large',
  'media_not_found',
  'converter_missing',
  'storage_full',
  'media_upload_failed',
] as const satisfies readonly ErrorCode[];

/** What all sends have in common. */
const send = {
  runs: 'send',
  method: 'POST',
  tag: 'Messages',
  scope: 'send',
  result: sendResult,
  status: 200,
  idempotent: true,
} as const;
const textLike = { ...send, deadlineMs: 60_000, errors: sendErrors } as const;
const mediaLike = { ...send, deadlineMs: 180_000, errors: mediaErrors } as const;

/** Sends about a message that exists. */
const aboutMessage = { ...textLike, isAboutMessage: true } as const;

/** A message that exists: the store knows who wrote it and where. */
const target = { to: recipient, message_id: messageId } as const;
const targetOfSend = { ...target, send_at: sendOptions.send_at } as const;

const contactCard = z.strictObject({
  display_name: z.string().trim().min(1).max(200),
  organization: z.string().trim().max(200).optional(),
  phones: z
    .array(
      z.strictObject({
        number: phone,
        phone_type: z
          .string()
          .regex(/^[A-Za-z]{1,20}$/, 'a word such as CELL')
          .default('CELL'),
      }),
    )
    .min(1)
    .max(10),
});

export const messageOperations = {
  sendText: defineOperation({
    ...textLike,
    path: '/sessions/:id/messages/text',
    summary: 'Send a text message',
    description: 'Answers 200 once WhatsApp has acknowledged the message, 202 with `pending` when it has not in time.',
    params: z.strictObject({
      to: recipient,
      text: z.string().min(1).max(65_536),
      link_preview: z.boolean().default(false),
      ...sendOptions,
    }),
    example: { params: { to: '+15551234567', text: 'Hello from Warden' }, result: exampleSend },
  }),
  sendImage: defineOperation({
    ...mediaLike,
    media: 'image',
    path: '/sessions/:id/messages/image',
    summary: 'Send an image',
    params: z.strictObject({
      to: recipient,
      ...mediaSource,
      caption,
      view_once: z.boolean().default(false),
      ...sendOptions,
    }),
    example: { params: { to: '+15551234567', base64: examplePng, caption: 'A picture' }, result: exampleSend },
  }),
  sendVideo: defineOperation({
    ...mediaLike,
    media: 'video',
    path: '/sessions/:id/messages/video',
    summary: 'Send a video',
    params: z.strictObject({
      to: recipient,
      ...mediaSource,
      caption,
      view_once: z.boolean().default(false),
      gif: z.boolean().default(false).describe('Play it in a loop without sound.'),
      ptv: z.boolean().default(false).describe('Show it as a round video note.'),
      ...sendOptions,
    }),
    example: { params: { to: '+15551234567', base64: exampleMp4 }, result: exampleSend },
  }),
  sendAudio: defineOperation({
    ...mediaLike,
    media: 'audio',
    path: '/sessions/:id/messages/audio',
    summary: 'Send audio or a voice note',
    description: 'With `ptt` it is a voice note; other formats than Ogg/Opus are converted when ffmpeg is installed.',
    params: z.strictObject({
      to: recipient,
      ...mediaSource,
      ptt: z.boolean().default(false),
      view_once: z.boolean().default(false),
      ...sendOptions,
    }),
    example: { params: { to: '+15551234567', base64: exampleOgg, ptt: true }, result: exampleSend },
  }),
  sendDocument: defineOperation({
    ...mediaLike,
    media: 'document',
    path: '/sessions/:id/messages/document',
    summary: 'Send a document',
    params: z.strictObject({ to: recipient, ...mediaSource, caption, filename, ...sendOptions }),
    example: {
      params: { to: '+15551234567', base64: exampleText, filename: 'hello.txt' },
      result: exampleSend,
    },
  }),
  sendSticker: defineOperation({
    ...mediaLike,
    media: 'sticker',
    path: '/sessions/:id/messages/sticker',
    summary: 'Send a sticker',
    description: 'Any image is converted to a WebP sticker.',
    params: z.strictObject({ to: recipient, ...mediaSource, ...sendOptions }),
    example: { params: { to: '+15551234567', base64: examplePng }, result: exampleSend },
  }),
  sendLocation: defineOperation({
    ...textLike,
    path: '/sessions/:id/messages/location',
    summary: 'Send a location',
    params: z.strictObject({
      to: recipient,
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      name: z.string().max(1000).optional(),
      address: z.string().max(1000).optional(),
      ...sendOptions,
    }),
    example: {
      params: { to: '+15551234567', latitude: 52.52, longitude: 13.405, name: 'Berlin' },
      result: exampleSend,
    },
  }),
  sendContact: defineOperation({
    ...textLike,
    path: '/sessions/:id/messages/contact',
    summary: 'Send one or more contact cards',
    params: z
      .strictObject({
        to: recipient,
        contact: contactCard.optional(),
        contacts: z.array(contactCard).min(1).max(50).optional(),
        ...sendOptions,
      })
      .refine((params) => (params.contact === undefined) !== (params.contacts === undefined), {
        path: ['contact'],
        message: 'either contact or contacts',
      }),
    example: {
      params: {
        to: '+15551234567',
        contact: { display_name: 'Support', phones: [{ number: '+15550001111', phone_type: 'WORK' }] },
      },
      result: exampleSend,
    },
  }),
  sendPoll: defineOperation({
    ...textLike,
    path: '/sessions/:id/messages/poll',
    summary: 'Send a poll',
    params: z
      .strictObject({
        to: recipient,
        question: z.string().min(1).max(255),
        options: z.array(z.string().min(1).max(100)).min(2).max(12),
        selectable: z
          .int()
          .min(0)
          .max(12)
          .default(1)
          .describe('How many options one person may choose; 0 for any number.'),
        ...sendOptions,
      })
      .refine((params) => new Set(params.options).size === params.options.length, {
        path: ['options'],
        message: 'options that differ from each other',
      })
      .refine((params) => params.selectable <= params.options.length, {
        path: ['selectable'],
        message: 'at most the number of options',
      }),
    example: { params: { to: '+15551234567', question: 'Lunch?', options: ['Yes', 'No'] }, result: exampleSend },
  }),
  forwardMessage: defineOperation({
    ...aboutMessage,
    path: '/sessions/:id/messages/forward',
    summary: 'Forward a message',
    description: 'Media is forwarded without being uploaded again.',
    params: z.strictObject({ ...targetOfSend, typing_ms: sendOptions.typing_ms }),
    example: { params: { to: '+15551234567', message_id: '3EB0C431C26A1916E07E' }, result: exampleSend },
  }),
  editMessage: defineOperation({
    ...aboutMessage,
    path: '/sessions/:id/messages/edit',
    summary: 'Edit a text message',
    description: 'WhatsApp accepts edits of own messages for 15 minutes.',
    errors: [...sendErrors, 'message_not_own', 'message_too_old'],
    params: z.strictObject({ ...targetOfSend, text: z.string().min(1).max(65_536) }),
    example: {
      params: { to: '+15551234567', message_id: '3EB0C431C26A1916E07E', text: 'Hello again' },
      result: exampleSend,
    },
  }),
  reactToMessage: defineOperation({
    ...aboutMessage,
    path: '/sessions/:id/messages/react',
    summary: 'React to a message',
    params: z.strictObject({
      ...targetOfSend,
      emoji: z.string().max(32).describe('An emoji; empty removes the reaction.'),
    }),
    example: { params: { to: '+15551234567', message_id: '3EB0C431C26A1916E07E', emoji: '👍' }, result: exampleSend },
  }),
  deleteMessage: defineOperation({
    ...aboutMessage,
    path: '/sessions/:id/messages/delete',
    aliases: ['/sessions/:id/messages/revoke'],
    summary: 'Delete a message',
    description: 'For everyone: own messages, and as an admin of a group those of others.',
    errors: [...sendErrors, 'message_not_own', 'app_state_unavailable'],
    params: z.strictObject({ ...targetOfSend, for_everyone: z.boolean().default(true) }),
    example: { params: { to: '+15551234567', message_id: '3EB0C431C26A1916E07E' }, result: exampleSend },
  }),
  pinMessage: defineOperation({
    ...aboutMessage,
    path: '/sessions/:id/messages/pin',
    summary: 'Pin or unpin a message for everybody in the chat',
    params: z.strictObject({
      ...targetOfSend,
      pinned: z.boolean().default(true),
      duration_seconds: z.union([z.literal(86_400), z.literal(604_800), z.literal(2_592_000)]).default(604_800),
    }),
    example: { params: { to: '+15551234567', message_id: '3EB0C431C26A1916E07E' }, result: exampleSend },
  }),
  starMessage: defineOperation({
    runs: 'child',
    method: 'POST',
    tag: 'Messages',
    scope: 'send',
    path: '/sessions/:id/messages/star',
    summary: 'Star or unstar a message',
    description: "Needs the account's app state keys, which the phone sends some time after pairing.",
    params: z.strictObject({ ...target, starred: z.boolean().default(true) }),
    result: actionResult,
    status: 200,
    deadlineMs: 60_000,
    idempotent: 'repeatable',
    errors: [
      'session_not_connected',
      'recipient_not_on_whatsapp',
      'message_not_found',
      'app_state_unavailable',
      'whatsapp_timeout',
    ],
    example: {
      params: { to: '+15551234567', message_id: '3EB0C431C26A1916E07E' },
      result: { success: true, message: 'Message starred.' },
    },
  }),
  readMessages: defineOperation({
    runs: 'child',
    method: 'POST',
    tag: 'Messages',
    scope: 'send',
    path: '/sessions/:id/messages/read',
    summary: 'Mark messages as read',
    params: z.strictObject({ chat: recipient, message_ids: z.array(messageId).min(1).max(200) }),
    result: actionResult,
    status: 200,
    deadlineMs: 30_000,
    idempotent: 'repeatable',
    errors: ['session_not_connected', 'recipient_not_on_whatsapp', 'message_not_found', 'whatsapp_timeout'],
    example: {
      params: { chat: '+15551234567', message_ids: ['3AF00C431C26A1916E07'] },
      result: { success: true, message: 'Marked as read.' },
    },
  }),
} as const;
