/**
 * Pure. Keys of media: HKDF-SHA256 of the message's media key with a name per kind gives IV, cipher key and MAC key;
 * a file on the media host is the AES-256-CBC ciphertext and the first ten bytes of HMAC-SHA256(IV ‖ ciphertext).
 */
import { hkdfSync } from 'node:crypto';

export type MediaKind = 'image' | 'video' | 'audio' | 'document' | 'sticker';

export interface MediaKeys {
  readonly iv: Buffer;
  readonly cipherKey: Buffer;
  readonly macKey: Buffer;
}

/** Length of the MAC behind the ciphertext. */
export const macBytes = 10;

/** Stickers have the keys, and the place on the media host, of images. */
const infoNames = {
  image: 'Image',
  video: 'Video',
  audio: 'Audio',
  document: 'Document',
  sticker: 'Image',
} as const satisfies Record<MediaKind, string>;

export function mediaKeys(mediaKey: Uint8Array, kind: MediaKind): MediaKeys {
  const bytes = derive(mediaKey, 112, `WhatsApp ${infoNames[kind]} Keys`);
  return { iv: bytes.subarray(0, 16), cipherKey: bytes.subarray(16, 48), macKey: bytes.subarray(48, 80) };
}

/** Key of the request to a phone to upload media again, and of its answer (AES-256-GCM, the message id as AAD). */
export function mediaRetryKey(mediaKey: Uint8Array): Buffer {
  return derive(mediaKey, 32, 'WhatsApp Media Retry Notification');
}

function derive(mediaKey: Uint8Array, bytes: number, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), info, bytes));
}
