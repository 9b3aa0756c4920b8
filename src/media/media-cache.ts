/** Decrypted files that were asked for lately, on disk, the least recently used first to go. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SpoolSink } from './spool-sink.ts';
import { WardenError } from '../contract/errors.ts';

export interface CachedFile {
  /** To be closed by whoever asked; the file may leave the cache meanwhile. */
  readonly file: FileHandle;
  readonly bytes: number;
}

interface CacheOptions {
  readonly folder: string;
  readonly quotaBytes: number;
  /** Of one file. */
  readonly capBytes: number;
}

const unfinished = 'part-';

export class MediaCache {
  readonly #options: CacheOptions;
  /** Name → bytes, in order of use. */
  readonly #files = new Map<string, number>();
  #usedBytes = 0;

  private constructor(options: CacheOptions) {
    this.#options = options;
  }

  static async open(options: CacheOptions): Promise<MediaCache> {
    const cache = new MediaCache(options);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const found: { name: string; bytes: number; usedAt: number }[] = [];
    for (const name of await readdir(options.folder)) {
      if (name.startsWith(unfinished)) await rm(join(options.folder, name), { recursive: true, force: true });
      else {
        const { size, mtimeMs } = await stat(join(options.folder, name));
        found.push({ name, bytes: size, usedAt: mtimeMs });
      }
    }
    for (const { name, bytes } of found.toSorted((a, b) => a.usedAt - b.usedAt)) cache.#add(name, bytes);
    await cache.#makeRoom(0);
    return cache;
  }

  /** Null when it is not there. */
  async find(name: string): Promise<CachedFile | null> {
    const bytes = this.#files.get(name);
    if (bytes === undefined) return null;
    try {
      const file = await open(join(this.#options.folder, name), 'r');
      // The most recently used stands last.
      if (this.#files.delete(name)) this.#files.set(name, bytes);
      return { file, bytes };
    } catch {
      this.#forget(name);
      return null;
    }
  }

  /** Keeps what the source yields if it ends without an error. Throws that error, and `storage_full`. */
  async fill(name: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<CachedFile> {
    const { folder, quotaBytes, capBytes } = this.#options;
    const path = join(folder, `${unfinished}${randomBytes(16).toString('hex')}`);
    let reserved = 0;
    const sink = new SpoolSink({
      path,
      capBytes,
      reserve: (bytes) => {
        reserved += bytes;
        if (reserved > quotaBytes) throw new WardenError('storage_full');
      },
      giveBack: () => undefined,
    });
    try {
      await pipeline(source, sink, { signal });
    } catch (error) {
      await sink.abandon();
      throw error;
    }
    await this.#makeRoom(sink.bytes);
    const file = await open(path, 'r');
    await rename(path, join(folder, name));
    this.#forget(name);
    this.#add(name, sink.bytes);
    return { file, bytes: sink.bytes };
  }

  #add(name: string, bytes: number): void {
    this.#files.set(name, bytes);
    this.#usedBytes += bytes;
  }

  #forget(name: string): void {
    this.#usedBytes -= this.#files.get(name) ?? 0;
    this.#files.delete(name);
  }

  async #makeRoom(bytes: number): Promise<void> {
    for (const name of this.#files.keys()) {
      if (this.#usedBytes + bytes <= this.#options.quotaBytes) return;
      this.#forget(name);
      await unlink(join(this.#options.folder, name)).catch(() => undefined);
    }
  }
}
