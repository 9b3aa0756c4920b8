/** The sessions that the supervisor holds in memory: taken out of the store when somebody asks for them first. */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { Logger } from '../log.ts';
import type { SessionRow, Store } from '../store/store.ts';
import { LiveSession } from './live-session.ts';

interface SessionBookOptions {
  readonly store: Pick<Store, 'sessions'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onAdopted: (session: LiveSession) => void;
  readonly onChanged: (id: SessionId) => void;
}

export class SessionBook {
  readonly #options: SessionBookOptions;
  readonly #sessions = new Map<SessionId, LiveSession>();

  constructor(options: SessionBookOptions) {
    this.#options = options;
  }

  /** Those held so far. */
  get all(): readonly LiveSession[] {
    return [...this.#sessions.values()];
  }

  known(id: SessionId): LiveSession | null {
    return this.#sessions.get(id) ?? null;
  }

  /** Throws `session_not_found`. */
  async live(id: SessionId): Promise<LiveSession> {
    const known = this.known(id);
    if (known !== null) return known;
    const row = await this.#options.store.sessions.get(id);
    if (row === null) throw new WardenError('session_not_found');
    return this.of(row);
  }

  of(row: SessionRow): LiveSession {
    return this.known(row.id) ?? this.#adopt(row);
  }

  forget(id: SessionId): void {
    this.#sessions.delete(id);
  }

  #adopt(row: SessionRow): LiveSession {
    const { store, clock, log, onAdopted, onChanged } = this.#options;
    const session = new LiveSession(row, {
      changed: () => onChanged(row.id),
      monotonic: () => clock.monotonic(),
      save: (snapshot) =>
        store.sessions.saveLink(snapshot, clock.now()).catch((error: unknown) => {
          log.warn({ err: error, session: row.id }, 'state of the link could not be saved');
        }),
    });
    this.#sessions.set(row.id, session);
    onAdopted(session);
    return session;
  }
}
