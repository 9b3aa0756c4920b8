/**
 * Pure. Keys of a file at WhatsApp: HKDF-SHA256 of the message's media key, with a name per kind, gives IV, cipher key
 * and MAC key. The file is its AES-256-CBC ciphertext and the first ten bytes of HMAC-SHA256 over IV and ciphertext.
 */
import { hkdfSync } from 'node:crypto';
import type { MediaKind } from './media-kinds.ts';

export interface MediaKeys {
  readonly iv: Buffer;
  readonly cipherKey: Buffer;
  readonly macKey: Buffer;
}

export const macBytes = 10;

/** Stickers are kept as images. */
const names = {
  image: 'Image',
  video: 'Video',
  audio: 'Audio',
  document: 'Document',
  sticker: 'Image',
} as const satisfies Record<MediaKind, string>;

export function mediaKeys(mediaKey: Uint8Array, kind: MediaKind): MediaKeys {
  const bytes = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), `WhatsApp ${names[kind]} Keys`, 112));
  return { iv: bytes.subarray(0, 16), cipherKey: bytes.subarray(16, 48), macKey: bytes.subarray(48, 80) };
}
