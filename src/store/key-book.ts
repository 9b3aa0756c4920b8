/**
 * Which key of each session encrypts, by the number of its row, kept between commits: session ids come again, those
 * numbers do not. A commit that relies on it names the numbers, and does nothing when the database has others.
 */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { Sealer, Vault } from './vault.ts';

/** What encrypts for some sessions, and the number of the key it takes for each. */
export interface Sealing {
  readonly sealer: Sealer;
  readonly keys: ReadonlyMap<string, number>;
}

/** Bounds what is kept of sessions that come and go. */
const maxSessions = 10_000;

export class KeyBook {
  readonly #vault: Vault;
  readonly #newest = new Map<string, number>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** Reads what is not known. Null when a session has no key that lasts: one is made step by step then. */
  async sealing(connection: CommonQueryMethods, sessions: readonly string[]): Promise<Sealing | null> {
    await this.#load(connection, sessions);
    const keys = new Map<string, number>();
    for (const session of sessions) {
      const id = this.#newest.get(session);
      if (id === undefined) return null;
      keys.set(session, id);
    }
    const sealer = await this.#vault.sealerOfExisting(connection, keys);
    return sealer === null ? null : { sealer, keys };
  }

  forget(sessions: readonly string[]): void {
    for (const session of sessions) this.#newest.delete(session);
  }

  /** What is read here is committed, so that it may be kept. */
  async #load(connection: CommonQueryMethods, sessions: readonly string[]): Promise<void> {
    const missing = sessions.filter((session) => !this.#newest.has(session));
    if (missing.length === 0) return;
    const rows = await connection.any(sql.type(newestRow)`
      select session_id as session, max(id) as id from data_keys
      where session_id = any (${sql.array(missing, 'text')})
      group by session_id
    `);
    if (this.#newest.size > maxSessions) this.#newest.clear();
    for (const { session, id } of rows) this.#newest.set(session, id);
  }
}

const newestRow = z.object({ session: z.string(), id: z.number() });
