/** The encrypted files of the media host: on disk, named by their SHA-256, with what is known of them in the records. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock, Records } from '../types.ts';

export interface Blob {
  /** SHA-256 of the file, hex. */
  readonly token: string;
  readonly bytes: number;
  /** LID digits of the account that uploaded it, or that it was written to. */
  readonly owner: string;
  /** Unix ms. */
  readonly addedAt: number;
}

const KIND = 'media-blob';
/** More than this is not kept: the oldest files go first. */
const CAP_BYTES = 4 * 1024 ** 3;
const storedSchema = z.object({ bytes: z.number(), owner: z.string(), addedAt: z.number() });

export class BlobStore {
  readonly #records: Records;
  readonly #directory: string;
  readonly #clock: Clock;
  /** By token, oldest first. */
  readonly #blobs = new Map<string, Blob>();
  #totalBytes = 0;

  /** The directory is created when absent; files in it that the records do not know are removed. */
  constructor(records: Records, directory: string, clock: Clock) {
    this.#records = records;
    this.#directory = directory;
    this.#clock = clock;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const present = new Set(readdirSync(directory));
    const stored = records.list(KIND).map(({ key, value }) => ({
      token: key,
      ...storedSchema.parse(JSON.parse(Buffer.from(value).toString('utf8'))),
    }));
    for (const blob of stored.toSorted((one, other) => one.addedAt - other.addedAt)) {
      if (present.delete(blob.token)) this.#remember(blob);
      else records.delete(KIND, blob.token);
    }
    for (const name of present) rmSync(join(directory, name), { recursive: true, force: true });
  }

  find(token: string): Blob | undefined {
    return this.#blobs.get(token);
  }

  /** Where the file lies. */
  pathOf(blob: Blob): string {
    return join(this.#directory, blob.token);
  }

  /**
   * Writes a file as it comes, in constant memory. Answers null, and keeps nothing, when its SHA-256 is not
   * `expected`. Throws when the source fails.
   */
  async add(
    source: AsyncIterable<Uint8Array>,
    { owner, expected }: { readonly owner: string; readonly expected: string | null },
  ): Promise<Blob | null> {
    const partial = join(this.#directory, `${randomUUID()}.part`);
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      const file = await open(partial, 'wx', 0o600);
      try {
        for await (const chunk of source) {
          hash.update(chunk);
          bytes += chunk.length;
          for (let done = 0; done < chunk.length;) done += (await file.write(chunk, done)).bytesWritten;
        }
      } finally {
        await file.close();
      }
      const token = hash.digest('hex');
      if (expected !== null && token !== expected) return null;
      const blob = { token, bytes, owner, addedAt: this.#clock.now() };
      await rename(partial, this.pathOf(blob));
      await this.remove(token, { keepsFile: true });
      this.#records.put(KIND, token, Buffer.from(JSON.stringify({ bytes, owner, addedAt: blob.addedAt })));
      this.#remember(blob);
      await this.#prune();
      return blob;
    } finally {
      await rm(partial, { force: true });
    }
  }

  async remove(token: string, { keepsFile = false } = {}): Promise<void> {
    const blob = this.#blobs.get(token);
    if (blob === undefined) return;
    this.#blobs.delete(token);
    this.#totalBytes -= blob.bytes;
    this.#records.delete(KIND, token);
    if (!keepsFile) await rm(this.pathOf(blob), { force: true });
  }

  #remember(blob: Blob): void {
    this.#blobs.set(blob.token, blob);
    this.#totalBytes += blob.bytes;
  }

  async #prune(): Promise<void> {
    for (const token of this.#blobs.keys()) {
      if (this.#totalBytes <= CAP_BYTES || this.#blobs.size === 1) return;
      await this.remove(token);
    }
  }
}
