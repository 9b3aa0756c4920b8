/** Writes paired sessions out of a gateway's database as the files in which plain Baileys keeps them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { useMultiFileAuthState, type SignalDataTypeMap } from '@whiskeysockets/baileys';
import { Client } from 'pg';
import { readCreds, readKey } from '../src/child/engine/values.ts';
import { systemClock } from '../src/clock.ts';
import { parseSessionId } from '../src/contract/ids.ts';
import { trusted } from '../src/contract/trusted.ts';
import { encryptionKeySource } from '../src/encryption-key.ts';
import { logger } from '../src/log.ts';
import { createStore } from '../src/store/create-store.ts';
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.ts';

interface Row {
  readonly type: keyof SignalDataTypeMap;
  readonly id: string;
}

/** One folder for each session below `folder`. The gateway of that storage must not run. */
export async function exportCredentials(
  storagePath: string,
  folder: string,
  sessions: readonly string[],
): Promise<void> {
  const server = await startEmbeddedPostgres({
    folder: join(storagePath, 'postgres'),
    database: 'wagateway',
    log: logger('bench'),
  });
  const log = logger('bench');
  const client = new Client({ connectionString: server.url });
  const keys = encryptionKeySource({ storagePath, encryptionKey: null }, log);
  const store = await createStore({ connection: server.url, log, clock: systemClock, keys });
  try {
    await client.connect();
    for (const session of sessions) {
      const place = join(folder, session);
      await mkdir(place, { recursive: true });
      const { state, saveCreds } = await useMultiFileAuthState(place);
      const id = parseSessionId(session);
      if (id === null) throw new Error(`${session} is no session id`);
      Object.assign(state.creds, readCreds((await store.credentials.load(id)).creds));
      await saveCreds();
      const { rows } = await client.query<Row>(
        "select type, id from signal_keys where session_id = $1 and type <> 'inbox'",
        [session],
      );
      const byType: Record<string, Record<string, unknown>> = {};
      for (const [type, ofType] of Map.groupBy(rows, (row) => row.type)) {
        const values = await store.credentials.getKeys(
          id,
          type,
          ofType.map((row) => row.id),
        );
        byType[type] = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, readKey(type, value)]));
      }
      // Values of the library's own types, as they came out of its hands.
      await state.keys.set(trusted<Parameters<typeof state.keys.set>[0]>(byType));
    }
  } finally {
    await client.end();
    await store.close();
    await server.stop();
  }
}
