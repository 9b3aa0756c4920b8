/**
 * Files on their way to WhatsApp. Each is held by whoever prepares it, then handed over to an accepted message, which the
 * store knows; what neither of them needs any more is deleted at once, or by the sweep that also cleans up after a crash.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { WardenError } from '../contract/errors.ts';
import type { Logger } from '../log.ts';
import { SpoolSink } from './spool-sink.ts';

export interface SpoolOptions {
  readonly folder: string;
  readonly quotaBytes: number;
  /** Paths that accepted messages still need. */
  readonly listNeeded: () => Promise<readonly string[]>;
  readonly log: Logger;
}

export interface SpooledFile {
  readonly path: string;
  readonly bytes: number;
}

interface Entry {
  readonly bytes: number;
  readonly isHeld: boolean;
}

const sweepMs = 60_000;

export class Spool {
  readonly folder: string;
  readonly #options: SpoolOptions;
  readonly #entries = new Map<string, Entry>();
  #usedBytes = 0;
  #sweeper: NodeJS.Timeout | null = null;

  private constructor(options: SpoolOptions) {
    this.folder = options.folder;
    this.#options = options;
  }

  /** Opens the folder with what an earlier gateway left there; dispose of it with `close`. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(options.folder)) {
      const path = join(options.folder, name);
      const facts = await stat(path);
      if (facts.isFile()) spool.#keep(path, { bytes: facts.size, isHeld: false });
    }
    spool.#sweeper = setInterval(() => void spool.sweep(), sweepMs);
    spool.#sweeper.unref();
    await spool.sweep();
    return spool;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get quotaBytes(): number {
    return this.#options.quotaBytes;
  }

  close(): void {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
  }

  /** A file that is written from outside; `adopt` or destroy it. Its errors are `media_too_large` and `storage_full`. */
  sink(capBytes: number): SpoolSink {
    return new SpoolSink({
      path: this.newPath(),
      capBytes,
      reserve: (bytes) => this.#reserve(bytes),
      giveBack: (bytes) => {
        this.#usedBytes -= bytes;
      },
    });
  }

  /** Holds a file whose sink has ended. */
  adopt(sink: SpoolSink): SpooledFile {
    const { path, bytes } = sink;
    this.#entries.set(path, { bytes, isHeld: true });
    return { path, bytes };
  }

  /** Writes a stream into a new file and holds it. */
  async write(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { capBytes, signal }: { readonly capBytes: number; readonly signal: AbortSignal },
  ): Promise<SpooledFile> {
    const sink = this.sink(capBytes);
    try {
      await pipeline(source, sink, { signal });
    } catch (error) {
      await sink.abandon();
      throw error;
    }
    return this.adopt(sink);
  }

  /** For a tool that writes a file by its path; `adoptWritten` counts and holds it. */
  newPath(): string {
    return join(this.#options.folder, randomBytes(16).toString('hex'));
  }

  async adoptWritten(path: string): Promise<SpooledFile> {
    const { size: bytes } = await stat(path);
    this.#keep(path, { bytes, isHeld: true });
    return { path, bytes };
  }

  /** Deletes what a tool may have written before it failed. */
  async discard(path: string): Promise<void> {
    if (this.#entries.has(path)) await this.release(path);
    else await unlink(path).catch(() => undefined);
  }

  /** From now on the store says how long the file is needed. */
  handOver(path: string): void {
    const entry = this.#entries.get(path);
    if (entry !== undefined) this.#entries.set(path, { ...entry, isHeld: false });
  }

  /** Deletes a file that nobody has taken over. */
  async releaseHeld(path: string): Promise<void> {
    if (this.#entries.get(path)?.isHeld === true) await this.release(path);
  }

  /** Deletes a file; one that is not there any more is fine. */
  async release(path: string): Promise<void> {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    this.#usedBytes -= entry.bytes;
    await unlink(path).catch((error: unknown) =>
      this.#options.log.debug({ err: error }, 'spooled file was gone already'),
    );
  }

  /** Deletes what no message needs any more. Never rejects. */
  async sweep(): Promise<void> {
    // Taken before the store is asked: what is handed over meanwhile may be missing in its answer.
    const candidates = [...this.#entries].filter(([, { isHeld }]) => !isHeld).map(([path]) => path);
    if (candidates.length === 0) return;
    try {
      const needed = new Set(await this.#options.listNeeded());
      for (const path of candidates) if (!needed.has(path)) await this.release(path);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the spool could not be swept');
    }
  }

  #keep(path: string, entry: Entry): void {
    this.#entries.set(path, entry);
    this.#usedBytes += entry.bytes;
  }

  #full(): WardenError {
    const megabytes = Math.floor(this.#options.quotaBytes / 1024 / 1024);
    return new WardenError('storage_full', {
      message: `There is no room for media: files that wait to be sent, also those of scheduled messages, take up SPOOL_QUOTA_MB (${megabytes} MB). Repeat later, or cancel what is scheduled.`,
    });
  }

  #reserve(bytes: number): void {
    if (this.#usedBytes + bytes > this.#options.quotaBytes) throw this.#full();
    this.#usedBytes += bytes;
  }
}
