/** WABinary, the coding of stanzas: Baileys' own codec, without the rest of Baileys. */
import { decodeBinaryNode } from '@whiskeysockets/baileys/lib/WABinary/decode.js';
import { encodeBinaryNode } from '@whiskeysockets/baileys/lib/WABinary/encode.js';
import type { BinaryNode } from '../types.ts';

/** The bytes of a stanza including the leading flag byte. */
export function encodeNode(node: BinaryNode): Buffer {
  return encodeBinaryNode(node);
}

/** Reads what `encodeNode` wrote, also in zlib form. Rejects on malformed bytes. */
export function decodeNode(bytes: Uint8Array): Promise<BinaryNode> {
  return decodeBinaryNode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
