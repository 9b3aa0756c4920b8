/** Who is online, and which connections want to know: kept in memory, as long as the connections live. */
import type { Connection, User } from '../types.ts';

/** What others see of somebody. */
export interface SeenPresence {
  readonly isAvailable: boolean;
  /** Unix seconds; null when it is not told. */
  readonly lastSeen: number | null;
}

const UNKNOWN: SeenPresence = { isAvailable: false, lastSeen: null };

export class PresenceBook {
  readonly #seen = new Map<string, SeenPresence>();
  readonly #available = new WeakSet<Connection>();
  /** By connection: the person's LID digits, with the JID under which it asked. */
  readonly #subscriptions = new WeakMap<Connection, Map<string, string>>();

  of(user: User): SeenPresence {
    return this.#seen.get(user.lid) ?? UNKNOWN;
  }

  set(user: User, presence: SeenPresence): void {
    this.#seen.set(user.lid, presence);
  }

  /** A session says whether it is there; those that are not are told nothing of others. */
  setAvailable(connection: Connection, isAvailable: boolean): void {
    if (isAvailable) this.#available.add(connection);
    else this.#available.delete(connection);
  }

  isAvailable(connection: Connection): boolean {
    return this.#available.has(connection);
  }

  subscribe(connection: Connection, user: User, jid: string): void {
    const own = this.#subscriptions.get(connection) ?? new Map<string, string>();
    this.#subscriptions.set(connection, own.set(user.lid, jid));
  }

  /** The JID under which this connection wants to hear of the person; undefined when it does not. */
  subscription(connection: Connection, user: User): string | undefined {
    return this.#subscriptions.get(connection)?.get(user.lid);
  }
}
