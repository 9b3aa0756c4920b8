/**
 * Where the simulator keeps what it knows: in memory, or in an SQLite file of its own, which is not part of the
 * gateway's store. Every write is in the operating system's hands before the call returns.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Records } from '../types.ts';

export interface OpenRecords extends Records {
  close(): void;
}

/** Opens the records of a state directory, which is created when absent; null keeps everything in memory. */
export function openRecords(directory: string | null): OpenRecords {
  if (directory !== null) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(directory === null ? ':memory:' : join(directory, 'simulator.sqlite'));
  // WAL without a sync per commit survives the death of the process, which is what a sandbox needs.
  database.exec(`
    PRAGMA busy_timeout = 5000;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS records (
      kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)
    ) WITHOUT ROWID;
  `);
  const get = database.prepare('SELECT value FROM records WHERE kind = ? AND key = ?');
  const put = database.prepare(
    'INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value',
  );
  const remove = database.prepare('DELETE FROM records WHERE kind = ? AND key = ?');
  const list = database.prepare('SELECT key, value FROM records WHERE kind = ? AND key >= ? AND key < ? ORDER BY key');

  return {
    get(kind, key) {
      const value = get.get(kind, key)?.['value'];
      return value instanceof Uint8Array ? value : undefined;
    },
    put(kind, key, value) {
      put.run(kind, key, value);
    },
    delete(kind, key) {
      remove.run(kind, key);
    },
    list(kind, prefix = '') {
      const found: { key: string; value: Uint8Array }[] = [];
      for (const { key, value } of list.all(kind, prefix, `${prefix}\u{10FFFF}`)) {
        if (typeof key === 'string' && value instanceof Uint8Array) found.push({ key, value });
      }
      return found;
    },
    close() {
      database.close();
    },
  };
}
