/** Deletes what is too old, in batches that do not keep anybody waiting. */
import { sql, type CommonQueryMethods } from 'slonik';
import { noRow } from './pool.ts';
import { timestampOf } from './values.ts';

const rowsPerBatch = 2_000;

/** Deletes messages that are older than the instant given and on their way no more; answers whether more are left. */
export async function pruneMessages(connection: CommonQueryMethods, before: number): Promise<boolean> {
  const { rowCount } = await connection.query(sql.type(noRow)`
    delete from messages where ordinal in (
      select ordinal from messages
      where at < to_timestamp(${timestampOf(before)}) and status <> 'accepted'
      order by at limit ${rowsPerBatch}
    )
  `);
  return rowCount >= rowsPerBatch;
}

/** The same for what WhatsApp will not repeat any more. */
export async function pruneMemory(connection: CommonQueryMethods, before: number): Promise<boolean> {
  const instant = sql.fragment`to_timestamp(${timestampOf(before)})`;
  const told = await connection.query(sql.type(noRow)`
    delete from told_once where (session_id, id) in (
      select session_id, id from told_once where at < ${instant} order by at limit ${rowsPerBatch}
    )
  `);
  const pending = await connection.query(sql.type(noRow)`
    delete from pending_changes where ordinal in (
      select ordinal from pending_changes where at < ${instant} order by at limit ${rowsPerBatch}
    )
  `);
  return told.rowCount >= rowsPerBatch || pending.rowCount >= rowsPerBatch;
}
