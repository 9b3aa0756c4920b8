/**
 * What the library uses of whatsapp-rust-bridge, by node:crypto: the bridge's WebAssembly takes some 5 MB of every
 * process. Results are plain Uint8Arrays as there.
 */
import { createHash, hkdfSync } from 'node:crypto';

const integritySize = 128;

export function md5(data: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('md5').update(data).digest());
}

/** HKDF with SHA-256 (RFC 5869); no salt is a salt of zeros. */
export function hkdf(
  key: Uint8Array,
  lengthBytes: number,
  { salt, info }: { readonly salt?: Uint8Array | undefined; readonly info?: string | undefined },
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt ?? new Uint8Array(0), info ?? '', lengthBytes));
}

export interface AppStateKeys {
  readonly indexKey: Uint8Array;
  readonly valueEncryptionKey: Uint8Array;
  readonly valueMacKey: Uint8Array;
  readonly snapshotMacKey: Uint8Array;
  readonly patchMacKey: Uint8Array;
}

/** The five keys behind an app state sync key. */
export function expandAppStateKeys(syncKey: Uint8Array): AppStateKeys {
  const expanded = hkdf(syncKey, 160, { info: 'WhatsApp Mutation Keys' });
  const part = (index: number): Uint8Array => expanded.slice(index * 32, (index + 1) * 32);
  return {
    indexKey: part(0),
    valueEncryptionKey: part(1),
    valueMacKey: part(2),
    snapshotMacKey: part(3),
    patchMacKey: part(4),
  };
}

/** The homomorphic hash over app state: 64 sums of 16 bits, in which the order of changes does not matter. */
export class LTHashAntiTampering {
  subtractThenAdd(base: Uint8Array, subtract: readonly Uint8Array[], add: readonly Uint8Array[]): Uint8Array {
    const sums = Buffer.from(base);
    if (sums.length !== integritySize) throw new Error(`the base has ${sums.length} bytes instead of ${integritySize}`);
    for (const value of subtract) combine(sums, value, -1);
    for (const value of add) combine(sums, value, 1);
    return Uint8Array.from(sums);
  }
}

function combine(sums: Buffer, value: Uint8Array, sign: 1 | -1): void {
  const term = Buffer.from(hkdf(value, integritySize, { info: 'WhatsApp Patch Integrity' }).buffer);
  for (let at = 0; at < integritySize; at += 2) {
    sums.writeUInt16LE((sums.readUInt16LE(at) + sign * term.readUInt16LE(at)) & 0xffff, at);
  }
}
