/** The last words of a process, without what must not be kept: keys, tokens, phone numbers. */
import type { Readable } from 'node:stream';

const keptBytes = 4096;

export class StderrTail {
  #kept = Buffer.alloc(0);

  constructor(stream: Readable | null) {
    stream?.on('data', (chunk: Buffer) => {
      const joined = Buffer.concat([this.#kept, chunk]);
      this.#kept = joined.length > keptBytes ? Buffer.from(joined.subarray(-keptBytes)) : joined;
    });
    // Reading may fail when the process is killed; there is nothing left to read then.
    stream?.on('error', () => {});
  }

  read(): string {
    return redact(this.#kept.toString('utf8'));
  }
}

/** Replaces long runs of base64 or hexadecimal, byte dumps and long numbers. */
export function redact(text: string): string {
  return text
    .replace(/<Buffer [^>]*>/g, '<Buffer …>')
    .replace(/(?:\b[0-9a-f]{2}[ ,]){8,}[0-9a-f]{2}\b/gi, '…')
    .replace(/(?<![\w/.-])[A-Za-z0-9+_-]{32,}={0,2}/g, '…')
    .replace(/\d{7,}/g, (digits) => `…${digits.slice(-4)}`);
}
