/**
 * How an encrypted record reads: `0x01 | length of the key's id | id of the key | nonce (12) | ciphertext | tag (16)`,
 * AES-256-GCM. The additional data say where the record lies, so that it opens nowhere else. Pure but for the nonce.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const version = 0x01;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 2;

/** The name of the key that sealed something, and what it sealed. */
export interface EnvelopeKey {
  /** Up to 64 ASCII characters. */
  readonly id: string;
  readonly key: KeyObject;
}

export function seal({ id, key }: EnvelopeKey, aad: string, plaintext: Uint8Array): Buffer {
  const name = Buffer.from(id, 'latin1');
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(aad));
  const ciphertext = cipher.update(plaintext);
  // GCM is a stream cipher: `final` has no bytes left, and makes the tag.
  cipher.final();
  return Buffer.concat([Buffer.from([version, name.length]), name, nonce, ciphertext, cipher.getAuthTag()]);
}

/** Which key sealed it; null for what is no envelope. */
export function keyIdOf(sealed: Uint8Array): string | null {
  const length = sealed[1] ?? 0;
  const shortest = headerBytes + length + nonceBytes + tagBytes;
  if (sealed[0] !== version || length === 0 || sealed.length < shortest) return null;
  return Buffer.from(sealed.buffer, sealed.byteOffset + headerBytes, length).toString('latin1');
}

/** Null for what this key did not seal, was sealed for another place, or was changed since. */
export function open(key: KeyObject, aad: string, sealed: Uint8Array): Buffer | null {
  if (keyIdOf(sealed) === null) return null;
  const start = headerBytes + (sealed[1] ?? 0);
  const end = sealed.length - tagBytes;
  const nonce = sealed.subarray(start, start + nonceBytes);
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(aad))
      .setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(start + nonceBytes, end));
    decipher.final();
    return plaintext;
  } catch {
    return null;
  }
}
