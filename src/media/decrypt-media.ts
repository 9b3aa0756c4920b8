/** Decrypts a file of WhatsApp on its way to disk, in constant memory, and says at the end whether it is what was sent. */
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { WardenError } from '../contract/errors.ts';
import type { MediaLocation } from '../contract/ipc.ts';
import { macBytes, mediaKeys } from './media-keys.ts';

/**
 * Yields the plaintext. Nothing of it may be used before the end: only there the MAC, both hashes and the length are
 * checked. Throws `media_damaged`.
 */
export async function* decrypted(
  source: AsyncIterable<Uint8Array>,
  location: Pick<MediaLocation, 'kind' | 'mediaKey' | 'fileSha256' | 'fileEncSha256'>,
): AsyncGenerator<Uint8Array> {
  const { iv, cipherKey, macKey } = mediaKeys(location.mediaKey, location.kind);
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  const hmac = createHmac('sha256', macKey).update(iv);
  const whole = createHash('sha256');
  const plain = createHash('sha256');
  // The MAC stands behind the ciphertext, and nobody says how long that is.
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    whole.update(chunk);
    const bytes = tail.length === 0 ? Buffer.from(chunk) : Buffer.concat([tail, chunk]);
    const end = Math.max(bytes.length - macBytes, 0);
    tail = Buffer.from(bytes.subarray(end));
    const sealed = bytes.subarray(0, end);
    hmac.update(sealed);
    const opened = decipher.update(sealed);
    plain.update(opened);
    if (opened.length > 0) yield opened;
  }
  const mac = hmac.digest().subarray(0, macBytes);
  if (tail.length !== macBytes || !timingSafeEqual(tail, mac)) throw damaged('message authentication code');
  if (!isSame(location.fileEncSha256, whole.digest())) throw damaged('hash of the encrypted file');
  let last: Buffer;
  try {
    last = decipher.final();
  } catch {
    throw damaged('padding');
  }
  plain.update(last);
  if (!isSame(location.fileSha256, plain.digest())) throw damaged('hash');
  if (last.length > 0) yield last;
}

/** A message that names no hash cannot be held against it; the MAC is always there. */
function isSame(announced: Uint8Array, found: Buffer): boolean {
  return announced.length === 0 || (announced.length === found.length && timingSafeEqual(announced, found));
}

function damaged(what: string): WardenError {
  return new WardenError('media_damaged', {
    details: [{ field: 'media', expected: `the ${what} that the message announced`, received: 'another' }],
  });
}
