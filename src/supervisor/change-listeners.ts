/** Who wants to hear that the view of a session has changed; sessions need not be known yet. */
import type { SessionId } from '../contract/ids.ts';
import type { Logger } from '../log.ts';

export class ChangeListeners {
  readonly #bySession = new Map<SessionId, Set<() => void>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Answers the way to stop it. */
  on(id: SessionId, listener: () => void): () => void {
    // A wrapper, so that the same function can listen twice and be removed twice.
    const own = () => listener();
    const listeners = this.#bySession.get(id) ?? new Set();
    this.#bySession.set(id, listeners.add(own));
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#bySession.get(id) === listeners) this.#bySession.delete(id);
    };
  }

  tell(id: SessionId): void {
    for (const listener of this.#bySession.get(id) ?? []) {
      try {
        listener();
      } catch (error) {
        this.#log.error({ err: error, session: id }, 'a listener to session changes failed');
      }
    }
  }
}
