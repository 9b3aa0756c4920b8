/** Finds the embedded Postgres of a folder without starting it: for who looks at a gateway from outside. */
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { connectionUrl } from './connection-url.ts';
import { elsewhereOf, superuser } from './postgres-cluster.ts';

export interface FoundEmbedded {
  /** Whether a database has been created there. */
  readonly exists: boolean;
  /** Null while no server runs on it, as far as its pid file tells. */
  readonly url: string | null;
}

export async function findEmbedded(folder: string, database: string): Promise<FoundEmbedded> {
  const real = await realpath(folder).catch(() => null);
  if (real === null) return { exists: false, url: null };
  const password = (await read(join(real, 'password')))?.trim() ?? null;
  let exists = false;
  for (const place of [real, elsewhereOf(real)]) {
    if ((await read(join(place, 'data', 'PG_VERSION'))) === null) continue;
    exists = true;
    // Its fourth line is the port (Postgres, miscadmin.h: LOCK_FILE_LINE_PORT).
    const port = Number((await read(join(place, 'data', 'postmaster.pid')))?.split('\n')[3]);
    if (Number.isInteger(port) && port > 0) {
      return { exists, url: connectionUrl({ host: '127.0.0.1', port, user: superuser, password, database }) };
    }
  }
  return { exists, url: null };
}

const read = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null);
