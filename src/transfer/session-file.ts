/**
 * The encrypted file in which a session is moved from one gateway to another:
 *
 * `WARDENSESSION | 0x01 | salt (16) | check (16) | nonce (12) | length of the ciphertext (8) | ciphertext | tag (16)`
 *
 * scrypt turns passphrase and salt into a key for AES-256-GCM and one for the check, which tells a wrong passphrase from
 * a damaged file. Everything before the ciphertext is authenticated with it. The content is gzipped.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

const magic = Buffer.from('WARDENSESSION');
const version = 0x01;
const saltBytes = 16;
const checkBytes = 16;
const nonceBytes = 12;
const lengthBytes = 8;
const tagBytes = 16;
const keyBytes = 32;
const saltAt = magic.length + 1;
const checkAt = saltAt + saltBytes;
const nonceAt = checkAt + checkBytes;
const lengthAt = nonceAt + nonceBytes;
const bodyAt = lengthAt + lengthBytes;
/** 32 MiB and a third of a second for each guess. Part of the version: a file cannot ask for more. */
const scryptCost = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
/** Nobody's session is that large. */
const mostContentBytes = 256 * 1024 * 1024;

/** Why a file cannot be read, and which field of the request is to blame. */
export class SessionFileProblem extends Error {
  override readonly name = 'SessionFileProblem';
  readonly field: 'file' | 'passphrase';

  constructor(field: 'file' | 'passphrase', message: string) {
    super(message);
    this.field = field;
  }
}

export async function writeSessionFile(content: string, passphrase: string): Promise<Buffer> {
  const salt = randomBytes(saltBytes);
  const { key, checkKey } = await keysOf(passphrase, salt);
  const nonce = randomBytes(nonceBytes);
  const packed = await promisify(gzip)(content);
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64BE(BigInt(packed.length));
  const header = Buffer.concat([magic, Buffer.from([version]), salt, checkOf(checkKey, salt), nonce, length]);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(header);
  const body = Buffer.concat([cipher.update(packed), cipher.final()]);
  return Buffer.concat([header, body, cipher.getAuthTag()]);
}

/** What `writeSessionFile` was given. Throws a SessionFileProblem. */
export async function readSessionFile(file: Uint8Array, passphrase: string): Promise<string> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (!bytes.subarray(0, magic.length).equals(magic)) throw new SessionFileProblem('file', 'it is no session file');
  if (bytes[magic.length] !== version) {
    throw new SessionFileProblem('file', 'it was written by a newer version of the gateway');
  }
  const isWhole = bytes.length >= bodyAt && BigInt(bytes.length - bodyAt - tagBytes) === lengthIn(bytes);
  if (!isWhole) throw new SessionFileProblem('file', 'it is incomplete, or something was added to its end');
  const salt = bytes.subarray(saltAt, checkAt);
  const { key, checkKey } = await keysOf(passphrase, salt);
  if (!timingSafeEqual(checkOf(checkKey, salt), bytes.subarray(checkAt, nonceAt))) {
    throw new SessionFileProblem('passphrase', 'it is not the one with which the file was written');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(nonceAt, lengthAt), { authTagLength: tagBytes })
    .setAAD(bytes.subarray(0, bodyAt))
    .setAuthTag(bytes.subarray(-tagBytes));
  try {
    const packed = Buffer.concat([decipher.update(bytes.subarray(bodyAt, -tagBytes)), decipher.final()]);
    return (await promisify(gunzip)(packed, { maxOutputLength: mostContentBytes })).toString();
  } catch (error) {
    throw Object.assign(new SessionFileProblem('file', 'it is damaged'), { cause: error });
  }
}

const lengthIn = (bytes: Buffer): bigint => bytes.readBigUInt64BE(lengthAt);

async function keysOf(passphrase: string, salt: Uint8Array): Promise<{ key: Buffer; checkKey: Buffer }> {
  const both = await new Promise<Buffer>((resolve, reject) => {
    // The same passphrase can be typed in more than one way.
    scrypt(passphrase.normalize('NFKC'), salt, 2 * keyBytes, scryptCost, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
  return { key: both.subarray(0, keyBytes), checkKey: both.subarray(keyBytes) };
}

const checkOf = (checkKey: Uint8Array, salt: Uint8Array): Buffer =>
  createHmac('sha256', checkKey).update(salt).digest().subarray(0, checkBytes);
