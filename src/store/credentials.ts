/** Credentials and Signal keys: read for a child that starts, written by the group commit. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { StoredValue } from '../contract/ipc.ts';
import { foldKeyChanges, inboxType, type KeyWrite } from './key-changes.ts';
import { noRow, type Database } from './pool.ts';
import type { CredentialsStore } from './store.ts';
import { bytesColumn, bytesOf } from './values.ts';

export function createCredentialsStore(database: Database): CredentialsStore {
  return {
    load: (id) =>
      database.run(async (connection) => {
        const creds = await connection.maybeOne(sql.type(z.object({ value: bytesColumn }))`
          select value from credentials where session_id = ${id}
        `);
        const inbox = await connection.any(sql.type(keyRow)`
          select id, value from signal_keys where session_id = ${id} and type = ${inboxType} order by ordinal
        `);
        return { creds: creds?.value ?? null, inbox };
      }),
    getKeys: (id, type, ids) =>
      database.run(async (connection) => {
        if (ids.length === 0) return {};
        const rows = await connection.any(sql.type(keyRow)`
          select id, value from signal_keys
          where session_id = ${id} and type = ${type} and id = any (${sql.array(ids, 'text')})
        `);
        return Object.fromEntries(rows.map((row): [string, StoredValue] => [row.id, row.value]));
      }),
  };
}

const keyRow = z.object({ id: z.string(), value: bytesColumn });

/** Applies the changes of a batch, each row once, within the caller's transaction. */
export async function writeKeyChanges(transaction: CommonQueryMethods, writes: readonly KeyWrite[]): Promise<void> {
  const { cleared, keys, credentials } = foldKeyChanges(writes);
  if (cleared.length > 0) {
    const ids = sql.array(cleared, 'text');
    await transaction.query(sql.type(noRow)`delete from credentials where session_id = any (${ids})`);
    await transaction.query(sql.type(noRow)`
      delete from signal_keys where session_id = any (${ids}) and type <> ${inboxType}
    `);
  }
  const kept = keys.flatMap(({ session, type, id, value }) =>
    value === null ? [] : [[session, type, id, bytesOf(value)]],
  );
  if (kept.length > 0) {
    await transaction.query(sql.type(noRow)`
      insert into signal_keys (session_id, type, id, value)
      select * from ${sql.unnest(kept, ['text', 'text', 'text', 'bytea'])} as k (session_id, type, id, value)
      on conflict (session_id, type, id) do update set value = excluded.value
    `);
  }
  const deleted = keys.flatMap(({ session, type, id, value }) => (value === null ? [[session, type, id]] : []));
  if (deleted.length > 0) {
    await transaction.query(sql.type(noRow)`
      delete from signal_keys s using ${sql.unnest(deleted, ['text', 'text', 'text'])} as k (session_id, type, id)
      where s.session_id = k.session_id and s.type = k.type and s.id = k.id
    `);
  }
  if (credentials.length > 0) {
    await transaction.query(sql.type(noRow)`
      insert into credentials (session_id, value)
      select * from ${sql.unnest(
        credentials.map(({ session, value }) => [session, bytesOf(value)]),
        ['text', 'bytea'],
      )} as c (session_id, value)
      on conflict (session_id) do update set value = excluded.value, updated_at = now()
    `);
  }
}
