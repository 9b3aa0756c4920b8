/** Reads of an answer's body what is needed and no more: receivers may send anything, without end. */
import type { Readable } from 'node:stream';

export interface ReadLimits {
  /** What is read so that the connection can be used again; more closes it. */
  readonly capBytes: number;
  /** What is kept. */
  readonly excerptBytes: number;
  readonly signal: AbortSignal;
}

/**
 * The beginning of a body as text; null when it is empty. A body that is longer than the cap, breaks off or takes too
 * long is cut, and its socket destroyed; that is no error.
 */
export async function readExcerpt(
  body: Readable,
  { capBytes, excerptBytes, signal }: ReadLimits,
): Promise<string | null> {
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let readBytes = 0;
  const cut = (): void => void body.destroy();
  // Cutting is told as an error, also when nobody reads any more.
  body.on('error', () => undefined);
  signal.addEventListener('abort', cut, { once: true });
  try {
    if (signal.aborted) cut();
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) break;
      readBytes += chunk.length;
      if (keptBytes < excerptBytes) {
        const part = chunk.subarray(0, excerptBytes - keptBytes);
        // A part of a larger buffer would keep all of it alive.
        kept.push(Buffer.from(part));
        keptBytes += part.length;
      }
      if (readBytes > capBytes) break;
    }
  } catch {
    // What came before the body broke off is worth showing.
  } finally {
    signal.removeEventListener('abort', cut);
    body.destroy();
  }
  if (keptBytes === 0) return null;
  // As a stream, the decoder holds back a character that was cut in two.
  return new TextDecoder().decode(Buffer.concat(kept), { stream: keptBytes === excerptBytes });
}
