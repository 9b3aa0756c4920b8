/** Writes one file of the spool: counted against its cap and the quota while it grows, and gone unless it was finished. */
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { callbackify } from 'node:util';
import { WardenError } from '../contract/errors.ts';

export interface SinkOptions {
  readonly path: string;
  readonly capBytes: number;
  /** Takes room before bytes are written; throws `storage_full`. */
  readonly reserve: (bytes: number) => void;
  /** Gives all room back that this file took. */
  readonly giveBack: (bytes: number) => void;
}

export class SpoolSink extends Writable {
  readonly path: string;
  readonly #options: SinkOptions;
  #file: FileHandle | null = null;
  #bytes = 0;
  #isWhole = false;
  #failure: Error | null = null;

  constructor(options: SinkOptions) {
    super({ highWaterMark: 256 * 1024 });
    this.path = options.path;
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why a write has failed; known before the stream tells it. */
  get failure(): Error | null {
    return this.#failure;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Gives the file up; resolves when nothing is left of it. */
  async abandon(): Promise<void> {
    if (this.closed) {
      if (this.#isWhole) await this.#discard();
      return;
    }
    this.#isWhole = false;
    this.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => this.once('close', () => resolve()));
    this.destroy();
    await closed;
  }

  override _construct(done: (error?: Error | null) => void): void {
    callbackify(() => this.#open())(done);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    callbackify(() => this.#take(chunk))(done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#isWhole = true;
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    callbackify(() => this.#end())(() => done(error));
  }

  async #open(): Promise<void> {
    try {
      this.#file = await open(this.path, 'wx', 0o600);
    } catch (error) {
      throw asFull(error);
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    try {
      await this.#append(chunk);
    } catch (error) {
      this.#failure = asFull(error);
      throw this.#failure;
    }
  }

  async #append(chunk: Buffer): Promise<void> {
    if (this.#bytes + chunk.length > this.#options.capBytes) throw tooLarge(this.#options.capBytes);
    this.#options.reserve(chunk.length);
    this.#bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      const { bytesWritten } = (await this.#file?.write(chunk, at)) ?? { bytesWritten: chunk.length };
      at += bytesWritten;
    }
  }

  async #end(): Promise<void> {
    await this.#file?.close();
    if (!this.#isWhole) await this.#discard();
  }

  async #discard(): Promise<void> {
    this.#isWhole = false;
    this.#options.giveBack(this.#bytes);
    if (this.#file !== null) await unlink(this.path);
  }
}

export function tooLarge(capBytes: number): WardenError {
  const megabytes = Math.floor(capBytes / 1024 / 1024);
  return new WardenError('media_too_large', {
    message: `The media is larger than the ${megabytes} MB that this gateway takes of its kind.`,
  });
}

function asFull(error: unknown): Error {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new WardenError('storage_full', { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
