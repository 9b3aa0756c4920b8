/** Writes paired sessions out of a gateway's database as the files in which plain Baileys keeps them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { useMultiFileAuthState, type SignalDataTypeMap } from '@whiskeysockets/baileys';
import { Client } from 'pg';
import { readCreds, readKey } from '../src/child/engine/values.ts';
import { trusted } from '../src/contract/trusted.ts';
import { logger } from '../src/log.ts';
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.ts';

interface Row {
  readonly session_id: string;
  readonly type: keyof SignalDataTypeMap;
  readonly id: string;
  readonly value: Buffer;
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
  const client = new Client({ connectionString: server.url });
  try {
    await client.connect();
    for (const session of sessions) {
      const place = join(folder, session);
      await mkdir(place, { recursive: true });
      const { state, saveCreds } = await useMultiFileAuthState(place);
      const creds = await client.query<{ value: Buffer }>('select value from credentials where session_id = $1', [
        session,
      ]);
      Object.assign(state.creds, readCreds(creds.rows[0]?.value ?? null));
      await saveCreds();
      const keys = await client.query<Row>(
        "select session_id, type, id, value from signal_keys where session_id = $1 and type <> 'inbox'",
        [session],
      );
      const byType: Record<string, Record<string, unknown>> = {};
      for (const { type, id, value } of keys.rows) (byType[type] ??= {})[id] = readKey(type, value);
      // Values of the library's own types, as they came out of its hands.
      await state.keys.set(trusted<Parameters<typeof state.keys.set>[0]>(byType));
    }
  } finally {
    await client.end();
    await server.stop();
  }
}
