import { randomInt } from 'node:crypto';

/** A message protobuf with 1 to 16 bytes behind it, each holding their number, as clients pad before they encrypt. */
export function pad(message: Uint8Array): Uint8Array {
  const length = randomInt(1, 17);
  return Buffer.concat([message, Buffer.alloc(length, length)]);
}

/** The message without its padding; unchanged when the last byte is no length. */
export function unpad(padded: Uint8Array): Uint8Array {
  const length = padded.at(-1) ?? 0;
  return length === 0 || length > padded.length ? padded : padded.subarray(0, padded.length - length);
}
