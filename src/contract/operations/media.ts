import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { examplePng, httpUrl, messageId, unixSeconds } from '../schemas.ts';

const mediaType = z.enum(['image', 'video', 'audio', 'document', 'sticker']);

const downloadErrors = [
  'session_not_connected',
  'message_not_found',
  'media_not_found',
  'media_gone',
  'media_unavailable',
  'media_damaged',
  'storage_full',
  'whatsapp_timeout',
] as const satisfies readonly ErrorCode[];

export const mediaOperations = {
  uploadMedia: defineOperation({
    runs: 'gateway',
    method: 'POST',
    tag: 'Media',
    scope: 'send',
    media: 'any',
    path: '/sessions/:id/media/upload',
    summary: 'Upload media to WhatsApp once, to send it many times',
    description:
      'As multipart with a field `file`, or by url or base64. The media_id works in every session of this gateway until it expires.',
    params: z.strictObject({
      url: httpUrl.optional(),
      base64: z.string().min(4).max(90_000_000).optional(),
      media_type: mediaType.optional().describe('Taken from the content when absent.'),
      mimetype: z.string().max(100).optional(),
      filename: z.string().min(1).max(255).optional(),
    }),
    result: z.object({
      media_id: z.string(),
      url: z.string(),
      direct_path: z.string(),
      media_key: z.string().describe('Base64.'),
      file_sha256: z.string().describe('Base64.'),
      file_enc_sha256: z.string().describe('Base64.'),
      file_length: z.int(),
      media_type: mediaType,
      mimetype: z.string(),
      expires_at: unixSeconds,
    }),
    status: 201,
    deadlineMs: 180_000,
    idempotent: 'repeatable',
    errors: [
      'session_not_connected',
      'media_unreachable',
      'media_type_not_supported',
      'media_too_large',
      'storage_full',
      'media_upload_failed',
      'whatsapp_timeout',
    ],
    example: {
      params: { base64: examplePng },
      result: {
        media_id: 'med_01JGQ0000000000000000000',
        url: 'https://mmg.whatsapp.net/o1/v/t24/file',
        direct_path: '/o1/v/t24/file',
        media_key: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        file_sha256: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        file_enc_sha256: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        file_length: 1024,
        media_type: 'image',
        mimetype: 'image/png',
        expires_at: 1_768_435_200,
      },
    },
  }),
  downloadMedia: defineOperation({
    runs: 'gateway',
    method: 'POST',
    tag: 'Media',
    scope: 'read',
    answersFile: true,
    path: '/sessions/:id/media/download',
    summary: 'Get the file of a message as a stream',
    description: 'The same as GET …/messages/:message_id/media, for clients that post.',
    params: z.strictObject({ message_id: messageId }),
    result: z.unknown().describe('The decrypted file.'),
    status: 200,
    deadlineMs: 180_000,
    idempotent: false,
    errors: downloadErrors,
    example: { params: { message_id: '3AF00C431C26A1916E07' }, result: null },
  }),
  getMessageMedia: defineOperation({
    runs: 'gateway',
    method: 'GET',
    tag: 'Media',
    scope: 'read',
    answersFile: true,
    path: '/sessions/:id/messages/:message_id/media',
    summary: 'Get the file of a message as a stream',
    description:
      'Decrypted and verified against its hash; asked for again from the phone when WhatsApp no longer has it.',
    params: z.strictObject({ message_id: messageId }),
    result: z.unknown().describe('The decrypted file.'),
    status: 200,
    deadlineMs: 180_000,
    idempotent: false,
    errors: downloadErrors,
    example: { params: { message_id: '3AF00C431C26A1916E07' }, result: null },
  }),
} as const;
