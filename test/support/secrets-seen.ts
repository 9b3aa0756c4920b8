/** What a test has given a gateway, or got from it, that may stand in no log and in no table as it is. */
import { inspect } from 'node:util';
import type { TestDatabase } from './database.ts';
import { dumpOf } from './table-dump.ts';

/** Names of fields by what their values are; message texts lie in tables, and are only no part of logs. */
const secretFields = new Set(['secret', 'passphrase', 'token']);
const textFields = new Set(['text', 'caption']);
/** Shorter ones are words that stand anywhere. */
const shortest = 12;

export class SecretsSeen {
  readonly #secrets = new Set<string>();
  readonly #texts = new Set<string>();

  constructor(secrets: readonly string[]) {
    for (const secret of secrets) this.#secrets.add(secret);
  }

  /** Takes note of what a body holds, however deep. */
  see(body: unknown): void {
    if (typeof body !== 'object' || body === null) return;
    for (const [field, value] of Object.entries(body)) {
      if (typeof value !== 'string') this.see(value);
      else if (value.length >= shortest && secretFields.has(field)) this.#secrets.add(value);
      else if (value.length >= shortest && textFields.has(field)) this.#texts.add(value);
    }
  }

  /** Throws when one of them stands in a log. */
  requireNoneIn(output: string): void {
    const found = [...this.#secrets, ...this.#texts].find((each) => output.includes(JSON.stringify(each).slice(1, -1)));
    if (found === undefined) return;
    const line = output.split('\n').find((each) => each.includes(JSON.stringify(found).slice(1, -1)));
    throw new Error(`a secret or a text stands in the log: ${inspect(found.slice(0, 100))} in ${line?.slice(0, 2000)}`);
  }

  /** Throws when a secret stands in a table as it is. */
  async requireNoneInTables(database: TestDatabase): Promise<void> {
    const dump = await dumpOf(database);
    const found = [...this.#secrets].find((each) => dump.holds(Buffer.from(each)));
    if (found !== undefined) throw new Error(`a secret stands in a table: ${inspect(found.slice(0, 100))}`);
  }
}
