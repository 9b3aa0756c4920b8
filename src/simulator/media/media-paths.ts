/**
 * The direct paths under which files of the media host are found. A path is valid for some time; a phone that uploads
 * its copy again gets a new one for the same file.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock, Records } from '../types.ts';

export interface MediaPath {
  /** The file's SHA-256, hex. */
  readonly token: string;
  /** Unix ms. */
  readonly expiresAt: number;
  /** Whether a phone uploaded the file again for it. */
  readonly isRenewed: boolean;
}

const KIND = 'media-path';
/** The shortest time for which WhatsApp is seen to keep media. */
const LIFETIME_MS = 14 * 86_400_000;
/** How long it is known of a path that it has expired. */
const FORGOTTEN_AFTER_MS = 30 * 86_400_000;
const storedSchema = z.object({ token: z.string(), expiresAt: z.number(), isRenewed: z.boolean() });

export class MediaPaths {
  readonly #records: Records;
  readonly #clock: Clock;

  constructor(records: Records, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    for (const { key, value } of records.list(KIND)) {
      if (parse(value).expiresAt < clock.now() - FORGOTTEN_AFTER_MS) records.delete(KIND, key);
    }
  }

  /** A new direct path, with the query that WhatsApp's have: `oe` tells when it expires. */
  issue(token: string, { isRenewed }: Pick<MediaPath, 'isRenewed'>): string {
    const id = randomBytes(16).toString('hex');
    const expiresAt = this.#clock.now() + LIFETIME_MS;
    this.#put(id, { token, expiresAt, isRenewed });
    const expiry = Math.floor(expiresAt / 1000).toString(16);
    return `/v/t62.7118-24/${id}_n.enc?ccb=11-4&oh=${randomBytes(12).toString('hex')}&oe=${expiry}&_nc_sid=5e03e0`;
  }

  /** What a direct path, or a URL with one, stands for; null when it was never issued. */
  find(pathOrUrl: string): MediaPath | null {
    const id = idOf(pathOrUrl);
    const stored = id === null ? undefined : this.#records.get(KIND, id);
    return stored === undefined ? null : parse(stored);
  }

  isExpired(path: MediaPath): boolean {
    return path.expiresAt <= this.#clock.now();
  }

  /** Ends the validity of a path now; false when it was never issued. */
  expire(pathOrUrl: string): boolean {
    const id = idOf(pathOrUrl);
    const path = this.find(pathOrUrl);
    if (id === null || path === null) return false;
    this.#put(id, { ...path, expiresAt: this.#clock.now() });
    return true;
  }

  #put(id: string, path: MediaPath): void {
    this.#records.put(KIND, id, Buffer.from(JSON.stringify(path)));
  }
}

function idOf(pathOrUrl: string): string | null {
  return /\/v\/t62\.7118-24\/([0-9a-f]{32})_n\.enc(?:\?|$)/.exec(pathOrUrl)?.[1] ?? null;
}

function parse(stored: Uint8Array): MediaPath {
  return storedSchema.parse(JSON.parse(Buffer.from(stored).toString('utf8')));
}
