/** Pure. How media travels to and from its JSON columns: bytes as base64. */
import { z } from 'zod';
import type { MediaLocation, PreparedMedia } from '../contract/ipc.ts';

const bytes = z.codec(
  z.base64(),
  z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  {
    decode: (text) => Buffer.from(text, 'base64'),
    encode: (value) => Buffer.from(value).toString('base64'),
  },
);
const kind = z.enum(['image', 'video', 'audio', 'document', 'sticker']);

export const locationColumn = z.object({
  kind,
  url: z.string().nullable(),
  directPath: z.string().nullable(),
  mediaKey: bytes,
  fileSha256: bytes,
  fileEncSha256: bytes,
  fileLength: z.number().nullable(),
  mimetype: z.string().nullable(),
  fileName: z.string().nullable(),
  seconds: z.number().nullable(),
});

export const preparedColumn = z.object({
  kind,
  source: z.discriminatedUnion('tag', [
    z.object({ tag: z.literal('file'), path: z.string() }),
    z.object({ tag: z.literal('uploaded'), content: bytes }),
  ]),
  mimetype: z.string(),
  bytes: z.number(),
  fileName: z.string().nullable(),
  width: z.number().nullable(),
  height: z.number().nullable(),
  seconds: z.number().nullable(),
  waveform: bytes.nullable(),
  thumbnail: bytes.nullable(),
  isAnimated: z.boolean(),
});

export const locationText = (value: MediaLocation | null): string | null =>
  value === null ? null : JSON.stringify(locationColumn.encode(value));
export const preparedText = (value: PreparedMedia | null): string | null =>
  value === null ? null : JSON.stringify(preparedColumn.encode(value));
