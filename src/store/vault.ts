/**
 * Encrypts and decrypts what the store keeps of sessions' secrets. Each session has a key of its own, which lies in the
 * database wrapped by the gateway's (master-keys.ts); keys that are in use stay here unwrapped, so that a record costs
 * one cipher and no question.
 */
import type { KeyObject } from 'node:crypto';
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { keyIdOf, open, seal } from './envelope.ts';
import type { MasterKeys, WrappedKey } from './master-keys.ts';
import { gatewayItself, type RecordPlace } from './sealed-places.ts';
import { bytesColumn, bytesOf } from './values.ts';

export interface SealedRecord {
  readonly place: RecordPlace;
  readonly sealed: Uint8Array;
}

export interface Sealer {
  seal(place: RecordPlace, plaintext: Uint8Array): Buffer;
}

interface DataKey {
  readonly id: number;
  readonly owner: string;
  readonly key: KeyObject;
  /** Records that may still be sealed before more are counted in the database. */
  left: number;
}

/** Records are counted ahead, so that counting costs one statement per so many. */
const recordsPerBlock = 65_536;
/** With random nonces a key is good for 2^32 records; the next one takes over long before. */
const recordsPerKey = 2 ** 28;
/** Some 300 bytes each. */
const maxCached = 10_000;

export const dataKeyRow = z
  .object({ id: z.number(), owner: z.string(), kek_id: z.string(), wrapped: bytesColumn, records: z.number() })
  .transform(({ kek_id: kekId, ...row }) => ({ ...row, kekId }));
export type DataKeyRow = z.output<typeof dataKeyRow>;

/** The columns of a DataKeyRow. */
export const dataKeyColumns = sql.fragment`id, coalesce(session_id, '') as owner, kek_id, wrapped, records`;

export class Vault {
  readonly #masterKeys: MasterKeys;
  /** By id, the one used last at the end. */
  readonly #cache = new Map<number, DataKey>();

  constructor(masterKeys: MasterKeys) {
    this.#masterKeys = masterKeys;
  }

  /**
   * What seals for these owners, with keys that are part of the caller's transaction: one that is made here is kept in
   * memory only after it has been read back. `newest` has the id of each owner's newest key, or null without one.
   */
  async sealer(connection: CommonQueryMethods, newest: ReadonlyMap<string, number | null>): Promise<Sealer> {
    const keys = await this.#usable(connection, newest);
    for (const owner of newest.keys()) {
      if (!keys.has(owner)) keys.set(owner, await this.#create(connection, owner));
    }
    return sealerWith(keys);
  }

  /**
   * As `sealer`, for who has no transaction in which a key could be made: null when one of the keys is gone or used up.
   * Whether they are still the newest is for the caller to find out.
   */
  async sealerOfExisting(connection: CommonQueryMethods, newest: ReadonlyMap<string, number>): Promise<Sealer | null> {
    const keys = await this.#usable(connection, newest);
    return keys.size === newest.size ? sealerWith(keys) : null;
  }

  /** As `sealer`, for who does not know the newest keys. */
  async sealerFor(connection: CommonQueryMethods, owners: readonly string[]): Promise<Sealer> {
    const rows = await connection.any(sql.type(z.object({ owner: z.string(), id: z.number() }))`
      select coalesce(session_id, '') as owner, max(id) as id from data_keys
      where session_id = any (${sql.array(owners, 'text')})
        or (session_id is null and ${owners.includes(gatewayItself)})
      group by session_id
    `);
    const found = new Map(rows.map(({ owner, id }) => [owner, id]));
    return this.sealer(connection, new Map(owners.map((owner) => [owner, found.get(owner) ?? null])));
  }

  /**
   * What was sealed, in the order given. Throws `internal_error` for a record that does not open at its place: one that
   * is damaged, or was moved there from another.
   */
  async open(connection: CommonQueryMethods, records: readonly SealedRecord[]): Promise<readonly Buffer[]> {
    const opened = await this.openEach(connection, records);
    return opened.map((plaintext, index) => {
      if (plaintext !== null) return plaintext;
      const { table, owner } = records[index]?.place ?? {};
      throw new WardenError('internal_error', {
        message: `a stored record does not open: ${table} of ${owner === gatewayItself ? 'the gateway' : owner}`,
      });
    });
  }

  /** As `open`, with null for what does not open. */
  async openEach(
    connection: CommonQueryMethods,
    records: readonly SealedRecord[],
  ): Promise<readonly (Buffer | null)[]> {
    const missing = new Set<number>();
    for (const { place, sealed } of records) {
      const id = Number(keyIdOf(sealed));
      if (Number.isSafeInteger(id) && this.#known(id, place.owner) === null) missing.add(id);
    }
    if (missing.size > 0) {
      const rows = await connection.any(sql.type(dataKeyRow)`
        select ${dataKeyColumns} from data_keys where id = any (${sql.array([...missing], 'int8')})
      `);
      for (const row of rows) this.#remember(row, 0);
    }
    return records.map(({ place, sealed }) => {
      const dataKey = this.#known(Number(keyIdOf(sealed)), place.owner);
      return dataKey === null ? null : open(dataKey.key, aadOf(place), sealed);
    });
  }

  /** Those of the keys that may seal more records, by owner. */
  async #usable(
    connection: CommonQueryMethods,
    newest: ReadonlyMap<string, number | null>,
  ): Promise<Map<string, DataKey>> {
    const keys = new Map<string, DataKey>();
    const toCount: number[] = [];
    for (const [owner, id] of newest) {
      const known = id === null ? null : this.#known(id, owner);
      if (known !== null && known.left > 0) keys.set(owner, known);
      else if (id !== null) toCount.push(id);
    }
    for (const row of toCount.length === 0 ? [] : await countBlock(connection, toCount)) {
      if (row.records <= recordsPerKey) keys.set(row.owner, this.#remember(row, recordsPerBlock));
    }
    return keys;
  }

  #known(id: number, owner: string): DataKey | null {
    const known = this.#cache.get(id);
    if (known === undefined || known.owner !== owner) return null;
    this.#cache.delete(id);
    this.#cache.set(id, known);
    return known;
  }

  #remember(row: DataKeyRow, left: number): DataKey {
    const known = this.#known(row.id, row.owner);
    if (known !== null) {
      known.left = Math.max(known.left, left);
      return known;
    }
    const key = this.#masterKeys.unwrap(row);
    if (key === null) {
      throw new WardenError('internal_error', { message: `the key of ${row.owner} was wrapped with ${row.kekId}` });
    }
    const dataKey: DataKey = { id: row.id, owner: row.owner, key, left };
    this.#cache.set(row.id, dataKey);
    if (this.#cache.size > maxCached) {
      const oldest = this.#cache.keys().next();
      if (oldest.done !== true) this.#cache.delete(oldest.value);
    }
    return dataKey;
  }

  /** It is not cached: the transaction may be rolled back, and the key with it. */
  async #create(connection: CommonQueryMethods, owner: string): Promise<DataKey> {
    const { key, row } = this.#masterKeys.create(owner);
    return { id: await insertDataKey(connection, row), owner, key, left: recordsPerBlock };
  }
}

const sealerWith = (keys: ReadonlyMap<string, DataKey>): Sealer => ({
  seal: (place, plaintext) => {
    const dataKey = keys.get(place.owner);
    if (dataKey === undefined) throw new WardenError('internal_error', { message: 'no key for this owner' });
    dataKey.left -= 1;
    return seal({ id: String(dataKey.id), key: dataKey.key }, aadOf(place), plaintext);
  },
});

async function insertDataKey(connection: CommonQueryMethods, row: WrappedKey): Promise<number> {
  const { id } = await connection.one(sql.type(z.object({ id: z.number() }))`
    insert into data_keys (session_id, kek_id, wrapped, records)
    values (nullif(${row.owner}, ''), ${row.kekId}, ${sql.binary(bytesOf(row.wrapped))}, ${recordsPerBlock})
    returning id
  `);
  return id;
}

function countBlock(connection: CommonQueryMethods, ids: readonly number[]): Promise<readonly DataKeyRow[]> {
  return connection.any(sql.type(dataKeyRow)`
    update data_keys set records = records + ${recordsPerBlock} where id = any (${sql.array(ids, 'int8')})
    returning ${dataKeyColumns}
  `);
}

const aadOf = ({ table, owner, key }: RecordPlace): string => `${table}|${owner}|${key}`;
