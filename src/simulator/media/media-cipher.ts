/** Encrypts media as a phone does before it uploads, and reads what others have uploaded, both in constant memory. */
import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { macBytes, type MediaKeys } from './media-keys.ts';

export interface PlainFacts {
  readonly sha256: Buffer;
  readonly bytes: number;
}

/** What a file on the media host holds, or why it cannot be read. */
export type Decrypted =
  | { readonly tag: 'plain'; readonly facts: PlainFacts }
  | { readonly tag: 'wrong_mac' | 'undecryptable' };

const chunkBytes = 64 * 1024;

/** The file for the media host, as it is to be uploaded; `facts` is filled when the stream has ended. */
export class EncryptedMedia implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly #keys: MediaKeys;
  #facts: PlainFacts | null = null;

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, keys: MediaKeys) {
    this.#source = source;
    this.#keys = keys;
  }

  get facts(): PlainFacts {
    if (this.#facts === null) throw new Error('the media has not been read to its end');
    return this.#facts;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { iv, cipherKey, macKey } = this.#keys;
    const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
    const hmac = createHmac('sha256', macKey).update(iv);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of this.#source) {
      hash.update(chunk);
      bytes += chunk.length;
      const encrypted = cipher.update(chunk);
      hmac.update(encrypted);
      yield encrypted;
    }
    const last = cipher.final();
    yield Buffer.concat([last, hmac.update(last).digest().subarray(0, macBytes)]);
    this.#facts = { sha256: hash.digest(), bytes };
  }
}

/** Reads a file of the media host: checks its MAC, decrypts it, and answers what the plaintext is. */
export async function decryptMedia(path: string, bytes: number, keys: MediaKeys): Promise<Decrypted> {
  const { iv, cipherKey, macKey } = keys;
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  const hmac = createHmac('sha256', macKey).update(iv);
  const hash = createHash('sha256');
  const end = bytes - macBytes;
  let plainBytes = 0;
  const take = (plain: Buffer) => {
    hash.update(plain);
    plainBytes += plain.length;
  };
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let position = 0; position < end;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, end - position), position);
      if (bytesRead === 0) return { tag: 'undecryptable' };
      const part = buffer.subarray(0, bytesRead);
      hmac.update(part);
      take(decipher.update(part));
      position += bytesRead;
    }
    const mac = Buffer.alloc(macBytes);
    await file.read(mac, 0, macBytes, Math.max(end, 0));
    if (!timingSafeEqual(mac, hmac.digest().subarray(0, macBytes))) return { tag: 'wrong_mac' };
    take(decipher.final());
    return { tag: 'plain', facts: { sha256: hash.digest(), bytes: plainBytes } };
  } catch {
    // The last block has no proper padding, or the file is not of whole blocks.
    return { tag: 'undecryptable' };
  } finally {
    await file.close();
  }
}
