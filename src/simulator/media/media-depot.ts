/** What simulated people and the server do with media, however sessions reach it: upload, read, renew, expire. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Device, Directory, Records, User } from '../types.ts';
import { BlobStore } from './blob-store.ts';
import { decryptMedia, EncryptedMedia } from './media-cipher.ts';
import { mediaKeys, type MediaKind } from './media-keys.ts';
import { MediaPaths } from './media-paths.ts';

/** A file as a message names it. */
export interface MediaFile {
  readonly kind: MediaKind;
  readonly mediaKey: Uint8Array;
  readonly directPath: string;
  readonly url: string;
  readonly fileSha256: Uint8Array;
  readonly fileEncSha256: Uint8Array;
  readonly fileLength: number;
}

/** What came of reading a file that a message names. */
export type MediaCheck =
  /** `sha256` of the plaintext, hex. */
  | { readonly tag: 'intact'; readonly sha256: string; readonly bytes: number }
  | { readonly tag: 'unreadable'; readonly reason: UnreadableReason };

export type UnreadableReason =
  | 'not_found'
  | 'expired'
  | 'wrong_enc_sha256'
  | 'wrong_mac'
  | 'undecryptable'
  | 'wrong_sha256'
  | 'wrong_length';

export interface MediaDepotParts {
  readonly records: Records;
  readonly clock: Clock;
  readonly directory: Directory;
  /** Where the files are kept. */
  readonly folder: string;
}

export class MediaDepot {
  readonly blobs: BlobStore;
  readonly paths: MediaPaths;
  readonly #directory: Directory;
  readonly #secret: Uint8Array;
  #host: string | null = null;

  constructor({ records, clock, directory, folder }: MediaDepotParts) {
    this.blobs = new BlobStore(records, join(folder, 'media'), clock);
    this.paths = new MediaPaths(records, clock);
    this.#directory = directory;
    this.#secret = keptSecret(records);
  }

  /** `address:port` of the host that serves the files; known when it listens. */
  get host(): string {
    if (this.#host === null) throw new Error('the media host does not listen yet');
    return this.#host;
  }

  set host(host: string) {
    this.#host = host;
  }

  urlOf(directPath: string): string {
    return `https://${this.host}${directPath}`;
  }

  /** What a companion shows with its uploads. */
  authOf(device: Device): string {
    // Without an @: the codec takes what has one for a JID.
    return `${Buffer.from(device.lid).toString('base64url')}.${this.#seal(device.lid)}`;
  }

  /** Whose upload this is; null when the word was not given out here, or the companion is unlinked. */
  companionBy(auth: string): Device | null {
    const [name = '', seal = ''] = auth.split('.');
    const jid = Buffer.from(name, 'base64url').toString('utf8');
    const given = Buffer.from(seal);
    const right = Buffer.from(this.#seal(jid));
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
    return this.#directory.device(jid) ?? null;
  }

  /** Encrypts a file with a fresh key and uploads it, for a message of or to this account. */
  async upload(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    kind: MediaKind,
    account: User,
  ): Promise<MediaFile> {
    const mediaKey = randomBytes(32);
    const encrypted = new EncryptedMedia(source, mediaKeys(mediaKey, kind));
    const blob = await this.blobs.add(encrypted, { owner: account.lid, expected: null });
    if (blob === null) throw new Error('an upload without an expected hash was refused');
    const directPath = this.paths.issue(blob.token, { isRenewed: false });
    return {
      kind,
      mediaKey,
      directPath,
      url: this.urlOf(directPath),
      fileSha256: encrypted.facts.sha256,
      fileEncSha256: Buffer.from(blob.token, 'hex'),
      fileLength: encrypted.facts.bytes,
    };
  }

  /** Reads a file as its receiver does, and holds it against what the message says of it. */
  async check(file: MediaFile): Promise<MediaCheck> {
    const path = this.paths.find(file.directPath === '' ? file.url : file.directPath);
    if (path === null) return unreadable('not_found');
    if (this.paths.isExpired(path)) return unreadable('expired');
    const blob = this.blobs.find(path.token);
    if (blob === undefined) return unreadable('not_found');
    if (blob.token !== hex(file.fileEncSha256)) return unreadable('wrong_enc_sha256');
    const decrypted = await decryptMedia(this.blobs.pathOf(blob), blob.bytes, mediaKeys(file.mediaKey, file.kind));
    if (decrypted.tag !== 'plain') return unreadable(decrypted.tag);
    const { sha256, bytes } = decrypted.facts;
    if (!sha256.equals(file.fileSha256)) return unreadable('wrong_sha256');
    return bytes === file.fileLength ? { tag: 'intact', sha256: hex(sha256), bytes } : unreadable('wrong_length');
  }

  /** A phone uploads its copy again: the new direct path, or null when it has no copy any more. */
  renew(file: MediaFile): string | null {
    const blob = this.blobs.find(hex(file.fileEncSha256));
    return blob === undefined ? null : this.paths.issue(blob.token, { isRenewed: true });
  }

  /** The file is gone from the host; with `fromPhone` nobody can upload it again either. */
  async expire(file: MediaFile, { fromPhone }: { readonly fromPhone: boolean }): Promise<void> {
    this.paths.expire(file.directPath === '' ? file.url : file.directPath);
    if (fromPhone) await this.blobs.remove(hex(file.fileEncSha256));
  }

  #seal(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('base64url');
  }
}

function unreadable(reason: UnreadableReason): MediaCheck {
  return { tag: 'unreadable', reason };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function keptSecret(records: Records): Uint8Array {
  const kept = records.get('media-secret', 'auth');
  if (kept !== undefined) return kept;
  const secret = randomBytes(32);
  records.put('media-secret', 'auth', secret);
  return secret;
}
