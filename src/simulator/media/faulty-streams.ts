/** Streams as faults of the media host make them. */

/** The first bytes of a stream, and then an error in place of the rest. */
export async function* cutShort(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = Math.floor(bytes);
  for await (const chunk of source) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      break;
    }
    left -= chunk.length;
    yield chunk;
  }
  throw new Error('cut short by a fault');
}

/** A stream in which the first byte is another one. */
export async function* corrupted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of source) {
    if (isFirst && chunk.length > 0) {
      isFirst = false;
      const changed = Buffer.from(chunk);
      changed[0] = (changed[0] ?? 0) ^ 0xff;
      yield changed;
    } else {
      yield chunk;
    }
  }
}
