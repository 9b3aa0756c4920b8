/**
 * Media that simulated people have received: each file is downloaded, decrypted and held against its message once, and
 * what came of it is kept. Files that do not hold what they should are the oracle's business.
 */
import { z } from 'zod';
import { describeContent } from '../content.ts';
import type { MediaCheck, MediaDepot, MediaFile } from '../media/media-depot.ts';
import type { Oracle, Records, User } from '../types.ts';

export interface ReceivedMediaParts {
  readonly records: Records;
  readonly media: MediaDepot;
  readonly oracle: Oracle;
}

const KIND = 'media-check';
const storedSchema: z.ZodType<MediaCheck> = z.discriminatedUnion('tag', [
  z.object({ tag: z.literal('intact'), sha256: z.string(), bytes: z.number() }),
  z.object({
    tag: z.literal('unreadable'),
    reason: z.enum([
      'not_found',
      'expired',
      'wrong_enc_sha256',
      'wrong_mac',
      'undecryptable',
      'wrong_sha256',
      'wrong_length',
    ]),
  }),
]);

export class ReceivedMedia {
  readonly #parts: ReceivedMediaParts;
  readonly #running = new Map<string, Promise<MediaCheck>>();

  constructor(parts: ReceivedMediaParts) {
    this.#parts = parts;
  }

  /** A message of this account has been read; its media, if it has any, are read in the background. */
  take(account: User, messageId: string, content: Uint8Array): void {
    const { media } = describeContent(content);
    if (media !== undefined) void this.check(account, messageId, media.file);
  }

  /** What came of reading the media of a message; waits while they are being read. Never rejects. */
  check(account: User, messageId: string, file: MediaFile): Promise<MediaCheck> {
    const key = `${account.lid}/${messageId}`;
    const known = this.known(account, messageId);
    if (known !== null) return Promise.resolve(known);
    const running =
      this.#running.get(key) ?? this.#read(account, messageId, file).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  /** What has come of it by now; null while the media are being read. */
  known(account: User, messageId: string): MediaCheck | null {
    const kept = this.#parts.records.get(KIND, `${account.lid}/${messageId}`);
    return kept === undefined ? null : storedSchema.parse(JSON.parse(Buffer.from(kept).toString('utf8')));
  }

  /** Resolves when nothing is being read any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #read(account: User, messageId: string, file: MediaFile): Promise<MediaCheck> {
    const { media, oracle, records } = this.#parts;
    const check = await media.check(file).catch((): MediaCheck => ({ tag: 'unreadable', reason: 'not_found' }));
    records.put(KIND, `${account.lid}/${messageId}`, Buffer.from(JSON.stringify(check)));
    if (check.tag === 'unreadable') oracle.unreadableMedia(account, `${messageId} ${check.reason}`);
    return check;
  }
}
