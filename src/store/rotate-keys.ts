/**
 * Wraps the keys of all sessions with the gateway's first key. Records stay as they are. Each row is a statement of its
 * own that changes it only as it was read, so that this can be interrupted, repeated, and done by two at once.
 */
import { sql } from 'slonik';
import { WardenError } from '../contract/errors.ts';
import type { MasterKeys } from './master-keys.ts';
import { noRow, type Database } from './pool.ts';
import { bytesOf } from './values.ts';
import { dataKeyColumns, dataKeyRow, type DataKeyRow } from './vault.ts';

export interface Rotation {
  /** The name of the key that all are wrapped with now. */
  readonly keyId: string;
  /** Keys that were wrapped anew just now. */
  readonly rewrapped: number;
  /** All keys in the database. */
  readonly total: number;
}

const rowsPerPage = 500;

/** Throws `unprocessable` at a key that none of the gateway's keys opens; those before it are done then. */
export async function rotateKeys(database: Pick<Database, 'run'>, masterKeys: MasterKeys): Promise<Rotation> {
  let after = 0;
  let rewrapped = 0;
  let total = 0;
  for (;;) {
    const rows = await database.run((connection) =>
      connection.any(sql.type(dataKeyRow)`
        select ${dataKeyColumns} from data_keys where id > ${after} order by id limit ${rowsPerPage}
      `),
    );
    for (const row of rows) {
      rewrapped += await rewrap(database, masterKeys, row);
      total += 1;
      after = row.id;
    }
    if (rows.length < rowsPerPage) return { keyId: masterKeys.firstId, rewrapped, total };
  }
}

async function rewrap(database: Pick<Database, 'run'>, masterKeys: MasterKeys, row: DataKeyRow): Promise<number> {
  const next = masterKeys.rewrap(row);
  if (next === null) {
    // At the start all of them did: another gateway has gone on to a key that this one was not given.
    throw new WardenError('unprocessable', {
      message: `A key in the database is wrapped with "${row.kekId}", which this gateway does not have: add it to ENCRYPTION_KEY and restart.`,
    });
  }
  if (next === 'unchanged') return 0;
  const { rowCount } = await database.run((connection) =>
    connection.query(sql.type(noRow)`
      update data_keys set kek_id = ${next.kekId}, wrapped = ${sql.binary(bytesOf(next.wrapped))}
      where id = ${row.id} and wrapped = ${sql.binary(bytesOf(row.wrapped))}
    `),
  );
  return rowCount;
}
