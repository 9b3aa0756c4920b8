/**
 * Reads where in its ratchet a Signal ciphertext stands. The header of a whisper message is in clear, also inside a
 * pre-key message, so that positions can be judged without any key.
 */
import type { RatchetPosition } from '../types.ts';

interface Fields {
  readonly numbers: ReadonlyMap<number, number>;
  readonly bytes: ReadonlyMap<number, Uint8Array>;
}

const MAC_BYTES = 8;
const SIGNATURE_BYTES = 64;

/**
 * The position of a ciphertext of type `pkmsg` or `msg` of the companion `sender`, or null when it is neither or
 * malformed. Layout: a version byte, a protobuf, and for the whisper message a MAC of 8 bytes at the end. Whisper
 * message: 1 ratchet key, 2 counter. Pre-key message: 4 the whisper message.
 */
export function ratchetPosition(sender: string, type: string, ciphertext: Uint8Array): RatchetPosition | null {
  switch (type) {
    case 'msg':
      return whisperPosition(sender, ciphertext);
    case 'pkmsg': {
      const whisper = readFields(ciphertext.subarray(1))?.bytes.get(4);
      return whisper === undefined ? null : whisperPosition(sender, whisper);
    }
    default:
      return null;
  }
}

/**
 * The position of a group ciphertext of type `skmsg`, or null when it is malformed. Layout: a version byte, a protobuf
 * (1 key id, 2 iteration, 3 ciphertext), a signature of 64 bytes.
 */
export function senderKeyPosition(sender: string, group: string, ciphertext: Uint8Array): RatchetPosition | null {
  if (ciphertext.length <= 1 + SIGNATURE_BYTES) return null;
  const numbers = readFields(ciphertext.subarray(1, -SIGNATURE_BYTES))?.numbers;
  const keyId = numbers?.get(1);
  if (numbers === undefined || keyId === undefined) return null;
  // What two encryptions of one position have in common is the message key, not the signature, which is random.
  const signed = ciphertext.subarray(0, -SIGNATURE_BYTES);
  return { sender, ratchetKey: Buffer.from(`${group} ${keyId}`), counter: numbers.get(2) ?? 0, ciphertext: signed };
}

function whisperPosition(sender: string, whisper: Uint8Array): RatchetPosition | null {
  if (whisper.length <= 1 + MAC_BYTES) return null;
  const fields = readFields(whisper.subarray(1, -MAC_BYTES));
  const ratchetKey = fields?.bytes.get(1);
  if (fields === null || ratchetKey === undefined) return null;
  return { sender, ratchetKey, counter: fields.numbers.get(2) ?? 0, ciphertext: whisper };
}

/** The varint and length-delimited fields of a flat protobuf message; null when it is cut or holds other wire types. */
function readFields(bytes: Uint8Array): Fields | null {
  const numbers = new Map<number, number>();
  const chunks = new Map<number, Uint8Array>();
  let at = 0;
  const varint = (): number | null => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return null;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const key = varint();
    const value = varint();
    if (key === null || value === null) return null;
    const field = Math.floor(key / 8);
    switch (key % 8) {
      case 0:
        numbers.set(field, value);
        break;
      case 2:
        if (at + value > bytes.length) return null;
        chunks.set(field, bytes.subarray(at, at + value));
        at += value;
        break;
      default:
        return null;
    }
  }
  return { numbers, bytes: chunks };
}
