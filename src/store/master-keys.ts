/** The gateway's own keys: the first one wraps the keys of sessions, all of them unwrap. */
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { open, seal, type EnvelopeKey } from './envelope.ts';

const keyBytes = 32;

/** A key as configured: its name, and 32 bytes. */
export interface MasterKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A wrapped key as it lies in the database; `owner` is a session, or empty for the gateway itself. */
export interface WrappedKey {
  readonly owner: string;
  /** The name that the wrapping key had then. */
  readonly kekId: string;
  readonly wrapped: Uint8Array;
}

export class MasterKeys {
  readonly #keys: readonly EnvelopeKey[];
  readonly #first: EnvelopeKey;

  /** The first of `keys` is the one in use. Throws when there is none. */
  constructor(keys: readonly MasterKey[]) {
    this.#keys = keys.map(({ id, bytes }) => ({ id, key: createSecretKey(bytes) }));
    const [first] = this.#keys;
    if (first === undefined) throw new TypeError('there is no master key');
    this.#first = first;
  }

  /** The name of the key that wraps. */
  get firstId(): string {
    return this.#first.id;
  }

  /** A new key for `owner`, and how it is to be kept. */
  create(owner: string): { readonly key: KeyObject; readonly row: WrappedKey } {
    const bytes = randomBytes(keyBytes);
    return { key: createSecretKey(bytes), row: this.#wrap(owner, bytes) };
  }

  /** Null when none of the keys wrapped it. A key keeps working under another name. */
  unwrap(row: WrappedKey): KeyObject | null {
    const bytes = this.#unwrapWith(this.#keys, row);
    return bytes === null ? null : createSecretKey(bytes);
  }

  /** The same key, wrapped by the first one; `unchanged` when it is already, null when none of the keys wrapped it. */
  rewrap(row: WrappedKey): WrappedKey | 'unchanged' | null {
    const isOfFirst = row.kekId === this.#first.id && this.#unwrapWith([this.#first], row) !== null;
    if (isOfFirst) return 'unchanged';
    const bytes = this.#unwrapWith(this.#keys, row);
    return bytes === null ? null : this.#wrap(row.owner, bytes);
  }

  #wrap(owner: string, bytes: Uint8Array): WrappedKey {
    const { id } = this.#first;
    return { owner, kekId: id, wrapped: seal(this.#first, placeOf(owner, id), bytes) };
  }

  #unwrapWith(keys: readonly EnvelopeKey[], { owner, kekId, wrapped }: WrappedKey): Buffer | null {
    const ordered = keys.toSorted((a, b) => Number(b.id === kekId) - Number(a.id === kekId));
    for (const { key } of ordered) {
      const bytes = open(key, placeOf(owner, kekId), wrapped);
      if (bytes !== null) return bytes;
    }
    return null;
  }
}

const placeOf = (owner: string, kekId: string): string => `dek|${owner}|${kekId}`;
