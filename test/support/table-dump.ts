/** Everything that a database holds, as somebody with a dump of it would read it. */
import type { TestDatabase } from './database.ts';

export interface TableDump {
  /** Whether the bytes stand anywhere: as they are, in hex, or in base64 at any offset. */
  holds(secret: Uint8Array): boolean;
  readonly tables: readonly string[];
}

export async function dumpOf(database: Pick<TestDatabase, 'query'>): Promise<TableDump> {
  const names = await database.query(`select tablename from pg_tables where schemaname = 'public' order by tablename`);
  const tables = names.map(({ tablename }) => String(tablename));
  const parts: Buffer[] = [];
  for (const table of tables) {
    for (const row of await database.query(`select * from ${table}`)) {
      for (const value of Object.values(row)) parts.push(...bytesIn(value));
    }
  }
  const all = Buffer.concat(parts);
  return {
    tables,
    holds: (secret) => formsOf(Buffer.from(secret)).some((form) => all.includes(form)),
  };
}

/** A separator keeps values from making up a secret together. */
function bytesIn(value: unknown): readonly Buffer[] {
  const text = Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return [text, Buffer.from([0xff, 0x00, 0xff])];
}

function formsOf(secret: Buffer): readonly Buffer[] {
  const base64 = [0, 1, 2].map((skipped) => {
    // The first and last characters of base64 mix with what stands around the secret.
    const encoded = Buffer.concat([Buffer.alloc(skipped), secret])
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(skipped === 0 ? 0 : skipped + 1, -1);
  });
  return [secret, Buffer.from(secret.toString('hex')), ...base64.map((text) => Buffer.from(text))];
}
