/** The one-time keys that a companion has uploaded: one buffer of 35-byte records (id, 3 bytes; public key, 32). */
import type { Records } from '../types.ts';

const idBytes = 3;
const recordBytes = idBytes + 32;

export interface OneTimeKey {
  readonly keyId: number;
  readonly publicKey: Uint8Array;
}

/** First in, first out; what was taken stays taken after a restart. */
export class PreKeyPool {
  readonly #records: Records;
  readonly #owner: string;
  #keys: Buffer;
  #takenBytes: number;

  /** `owner` is the JID of the companion. */
  constructor(records: Records, owner: string) {
    this.#records = records;
    this.#owner = owner;
    this.#keys = Buffer.from(records.get('pre-keys', owner) ?? []);
    const taken = records.get('pre-keys-taken', owner);
    this.#takenBytes = Math.min(taken?.length === 4 ? Buffer.from(taken).readUInt32BE() : 0, this.#keys.length);
  }

  get count(): number {
    return (this.#keys.length - this.#takenBytes) / recordBytes;
  }

  /** Adds uploaded keys; a key whose id is in the pool replaces the old one, as when an upload is repeated. */
  add(keys: readonly OneTimeKey[]): void {
    const ids = new Set(keys.map((key) => key.keyId));
    const parts: Buffer[] = [];
    for (let at = this.#takenBytes; at < this.#keys.length; at += recordBytes) {
      if (!ids.has(this.#keys.readUIntBE(at, idBytes))) parts.push(this.#keys.subarray(at, at + recordBytes));
    }
    for (const key of keys) {
      const record = Buffer.alloc(recordBytes);
      record.writeUIntBE(key.keyId, 0, idBytes);
      record.set(key.publicKey.subarray(0, 32), idBytes);
      parts.push(record);
    }
    this.#keys = Buffer.concat(parts);
    this.#takenBytes = 0;
    // In this order: a death in between skips keys, the other order would hand out keys twice.
    this.#records.put('pre-keys', this.#owner, this.#keys);
    this.#records.delete('pre-keys-taken', this.#owner);
  }

  /** The next key, gone from the pool; undefined when there is none. */
  take(): OneTimeKey | undefined {
    if (this.#takenBytes >= this.#keys.length) return undefined;
    const at = this.#takenBytes;
    this.#takenBytes += recordBytes;
    const taken = Buffer.alloc(4);
    taken.writeUInt32BE(this.#takenBytes);
    this.#records.put('pre-keys-taken', this.#owner, taken);
    return {
      keyId: this.#keys.readUIntBE(at, idBytes),
      publicKey: Buffer.from(this.#keys.subarray(at + idBytes, at + recordBytes)),
    };
  }

  /** Forgets all keys. */
  drop(): void {
    this.#keys = Buffer.alloc(0);
    this.#takenBytes = 0;
    this.#records.delete('pre-keys', this.#owner);
    this.#records.delete('pre-keys-taken', this.#owner);
  }
}
