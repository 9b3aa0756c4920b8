/**
 * Uploads a file: read twice from disk in constant memory, once for the hashes that its address is made of and once on
 * its way, encrypted both times. Nothing is written to disk here, and nothing is left behind by a crash.
 */
import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { DEFAULT_ORIGIN, getMediaKeys, MEDIA_PATH_MAP, type MediaType, type WASocket } from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { mediaConnection, type MediaConnection } from './media-connection.ts';
import { prepareTls } from './trust.ts';

export interface UploadOrder {
  readonly kind: MediaType;
  readonly path: string;
  /** For the whole upload, milliseconds. */
  readonly timeoutMs: number;
}

/** The fields of a message that name an uploaded file. */
export interface UploadedFile {
  readonly url: string;
  readonly directPath: string;
  readonly mediaKey: Uint8Array;
  readonly fileSha256: Uint8Array;
  readonly fileEncSha256: Uint8Array;
  readonly fileLength: number;
}

interface Keys {
  readonly iv: Buffer;
  readonly cipherKey: Buffer;
  readonly macKey: Buffer;
}

interface Hashes {
  readonly plain: Buffer;
  readonly encrypted: Buffer;
  readonly plainBytes: number;
  readonly encryptedBytes: number;
}

const chunkBytes = 64 * 1024;
const macBytes = 10;
const longestAnswerBytes = 64 * 1024;
const unauthorized = new Set([401, 403]);

/** Throws `media_upload_failed` when no host takes it, and what asking for the hosts throws. */
export async function uploadFile(sock: WASocket, order: UploadOrder): Promise<UploadedFile> {
  const signal = AbortSignal.timeout(order.timeoutMs);
  const mediaKey = randomBytes(32);
  const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, order.kind);
  if (macKey === undefined) throw new WardenError('internal_error', { message: 'media keys without a MAC key' });
  const keys: Keys = { iv: Buffer.from(iv), cipherKey: Buffer.from(cipherKey), macKey: Buffer.from(macKey) };
  const hashes = await hashEncrypted(order.path, keys);
  const file = { ...order, keys, hashes, signal };
  const place = await uploadSomewhere(sock, file);
  return {
    ...place,
    mediaKey,
    fileSha256: hashes.plain,
    fileEncSha256: hashes.encrypted,
    fileLength: hashes.plainBytes,
  };
}

interface FileOnItsWay extends UploadOrder {
  readonly keys: Keys;
  readonly hashes: Hashes;
  readonly signal: AbortSignal;
}

interface Place {
  readonly url: string;
  readonly directPath: string;
}

async function uploadSomewhere(sock: WASocket, file: FileOnItsWay): Promise<Place> {
  let connection = await mediaConnection(sock, { isRefused: false });
  let failure: unknown = new Error('WhatsApp named no media server');
  // The second round is for a word that WhatsApp does not take any more, although its time is not over.
  for (let round = 0; round < 2; round++) {
    let isRefused = false;
    for (const host of connection.hosts) {
      try {
        const answer = await uploadTo(host, connection, file);
        if (answer.place !== null) return answer.place;
        failure = new Error(`the media server answered ${answer.status}`);
        isRefused ||= unauthorized.has(answer.status);
      } catch (error) {
        failure = error;
      }
      if (file.signal.aborted) break;
    }
    if (!isRefused || file.signal.aborted) break;
    connection = await mediaConnection(sock, { isRefused });
  }
  throw new WardenError('media_upload_failed', {
    cause: failure,
    ...(file.signal.aborted
      ? { message: 'The upload took too long; repeat the request, or set MEDIA_UPLOAD_TIMEOUT_MS.' }
      : {}),
  });
}

async function uploadTo(
  host: string,
  { auth }: MediaConnection,
  { kind, path, keys, hashes, signal }: FileOnItsWay,
): Promise<{ readonly status: number; readonly place: Place | null }> {
  const token = hashes.encrypted.toString('base64url');
  const folder = Reflect.get(MEDIA_PATH_MAP, kind) ?? MEDIA_PATH_MAP.document ?? '/mms/document';
  const url = new URL(`https://${host}${folder}/${token}`);
  url.search = new URLSearchParams({ auth, token }).toString();
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  prepareTls();
  const outgoing = request(
    url,
    {
      method: 'POST',
      signal,
      headers: {
        origin: DEFAULT_ORIGIN,
        'content-type': 'application/octet-stream',
        'content-length': hashes.encryptedBytes,
      },
    },
    (answer) => {
      if (Number(answer.headers['content-length'] ?? 0) > longestAnswerBytes)
        answer.destroy(new Error('a strange answer'));
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
    },
  );
  outgoing.on('error', reject);
  // A host that answers before it has read everything is listened to all the same.
  pipeline(Readable.from(encrypted(path, keys), { objectMode: false }), outgoing).catch(reject);
  const { status, body } = await promise;
  return { status, place: status >= 200 && status < 300 ? placeIn(body) : null };
}

function placeIn(body: string): Place | null {
  const answer: unknown = JSON.parse(body);
  if (typeof answer !== 'object' || answer === null) return null;
  const url: unknown = Reflect.get(answer, 'url');
  const directPath: unknown = Reflect.get(answer, 'direct_path');
  if (typeof url !== 'string' && typeof directPath !== 'string') return null;
  return { url: typeof url === 'string' ? url : '', directPath: typeof directPath === 'string' ? directPath : '' };
}

async function hashEncrypted(path: string, keys: Keys): Promise<Hashes> {
  const plain = createHash('sha256');
  const whole = createHash('sha256');
  let plainBytes = 0;
  let encryptedBytes = 0;
  const onPlain = (chunk: Uint8Array): void => {
    plain.update(chunk);
    plainBytes += chunk.byteLength;
  };
  for await (const chunk of encrypted(path, keys, onPlain)) {
    whole.update(chunk);
    encryptedBytes += chunk.byteLength;
  }
  return { plain: plain.digest(), encrypted: whole.digest(), plainBytes, encryptedBytes };
}

/** AES-256-CBC and the first ten bytes of HMAC-SHA256 over IV and ciphertext. */
async function* encrypted(
  path: string,
  { iv, cipherKey, macKey }: Keys,
  onPlain?: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const hmac = createHmac('sha256', macKey).update(iv);
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      onPlain?.(chunk);
      const sealed = cipher.update(chunk);
      hmac.update(sealed);
      yield sealed;
    }
  } finally {
    await file.close();
  }
  const last = cipher.final();
  yield Buffer.concat([last, hmac.update(last).digest().subarray(0, macBytes)]);
}
