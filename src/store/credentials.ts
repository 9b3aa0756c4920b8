/** Credentials and Signal keys: read for a child that starts, written by the group commit. They lie encrypted. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { StoredValue } from '../contract/ipc.ts';
import { foldKeyChanges, inboxType, type KeyWrite } from './key-changes.ts';
import { noRow, type Database } from './pool.ts';
import { credentialsPlace, signalKeyPlace } from './sealed-places.ts';
import type { CredentialsStore } from './store.ts';
import { bytesColumn } from './values.ts';
import type { Sealer, Vault } from './vault.ts';

export function createCredentialsStore(database: Database, vault: Vault): CredentialsStore {
  const openKeys = async (
    connection: CommonQueryMethods,
    { session, type }: { readonly session: string; readonly type: string },
    rows: readonly z.output<typeof keyRow>[],
  ): Promise<readonly { readonly id: string; readonly value: StoredValue }[]> => {
    const sealed = rows.map(({ id, value }) => ({ place: signalKeyPlace(session, type, id), sealed: value }));
    const opened = await vault.open(connection, sealed);
    return rows.flatMap(({ id }, index) => {
      const value = opened[index];
      return value === undefined ? [] : [{ id, value }];
    });
  };

  return {
    load: (id) =>
      database.run(async (connection) => {
        const creds = await connection.maybeOne(sql.type(z.object({ value: bytesColumn }))`
          select value from credentials where session_id = ${id}
        `);
        const inbox = await connection.any(sql.type(keyRow)`
          select id, value from signal_keys where session_id = ${id} and type = ${inboxType} order by ordinal
        `);
        const sealed = creds === null ? [] : [{ place: credentialsPlace(id), sealed: creds.value }];
        const [opened = null] = await vault.open(connection, sealed);
        return { creds: opened, inbox: await openKeys(connection, { session: id, type: inboxType }, inbox) };
      }),
    getKeys: (id, type, ids) =>
      database.run(async (connection) => {
        if (ids.length === 0) return {};
        const rows = await connection.any(sql.type(keyRow)`
          select id, value from signal_keys
          where session_id = ${id} and type = ${type} and id = any (${sql.array(ids, 'text')})
        `);
        const opened = await openKeys(connection, { session: id, type }, rows);
        return Object.fromEntries(opened.map((key): [string, StoredValue] => [key.id, key.value]));
      }),
  };
}

const keyRow = z.object({ id: z.string(), value: bytesColumn });

/** Applies the changes of a batch, each row once, within the caller's transaction; `sealerOf` answers for sessions. */
export async function writeKeyChanges(
  transaction: CommonQueryMethods,
  writes: readonly KeyWrite[],
  sealerOf: (sessions: readonly string[]) => Promise<Sealer>,
): Promise<void> {
  const { cleared, keys, credentials } = foldKeyChanges(writes);
  if (cleared.length > 0) {
    const ids = sql.array(cleared, 'text');
    await transaction.query(sql.type(noRow)`delete from credentials where session_id = any (${ids})`);
    await transaction.query(sql.type(noRow)`
      delete from signal_keys where session_id = any (${ids}) and type <> ${inboxType}
    `);
  }
  const sealer = await sealerOf([
    ...new Set([
      ...keys.flatMap(({ session, value }) => (value === null ? [] : [session])),
      ...credentials.map(({ session }) => session),
    ]),
  ]);
  const kept = keys.flatMap(({ session, type, id, value }) =>
    value === null ? [] : [[session, type, id, sealer.seal(signalKeyPlace(session, type, id), value)]],
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
        credentials.map(({ session, value }) => [session, sealer.seal(credentialsPlace(session), value)]),
        ['text', 'bytea'],
      )} as c (session_id, value)
      on conflict (session_id) do update set value = excluded.value, updated_at = now()
    `);
  }
}
