/**
 * Messages that the store is asked to accept for a caller. Until its answer comes nobody knows whether they are there:
 * whoever finds one in the store leaves it alone, and for good when its caller is told that it was not accepted.
 */
import { WardenError } from '../contract/errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { UnsureAcceptance } from '../store/waiting-sends.ts';
import type { LiveSession } from './live-session.ts';
import { sleep } from './start-gate.ts';

export interface Acceptance {
  /** Has the store accept the message. */
  readonly take: () => Promise<void>;
  /** Its caller can ask again under the same id. */
  readonly isRepeatable: boolean;
}

export interface AcceptancesOptions {
  readonly store: Pick<Store, 'messages'>;
  readonly log: Logger;
  /** Ends with the supervisor. */
  readonly signal: AbortSignal;
}

const retryMs = 5000;

export class Acceptances {
  readonly #options: AcceptancesOptions;
  readonly #onUnsure: (session: LiveSession) => void;
  /** Those without an answer, and those that must not come true any more. */
  readonly #open = new Set<string>();

  /** `onUnsure` hears of a session that may have an accepted message which nobody sends. */
  constructor(options: AcceptancesOptions, onUnsure: (session: LiveSession) => void) {
    this.#options = options;
    this.#onUnsure = onUnsure;
  }

  /** When this resolves the message is for its caller to send. Throws what the store does. */
  async accept(session: LiveSession, message: UnsureAcceptance, { take, isRepeatable }: Acceptance): Promise<void> {
    const key = keyOf(message);
    this.#open.add(key);
    try {
      await take();
    } catch (error) {
      const isUnsure = error instanceof WardenError && error.code === 'storage_unavailable';
      // It may be there after all. A caller who was told otherwise must not meet it twice.
      if (isUnsure && !isRepeatable) void this.#withdraw(message);
      else this.#open.delete(key);
      if (isUnsure && isRepeatable) this.#onUnsure(session);
      throw error;
    }
    session.sending.add(message.id);
    this.#open.delete(key);
  }

  /** Whether nobody may send the message, who finds it in the store. */
  isOpen(message: UnsureAcceptance): boolean {
    return this.#open.has(keyOf(message));
  }

  async #withdraw(message: UnsureAcceptance): Promise<void> {
    const { store, signal, log } = this.#options;
    while (!signal.aborted) {
      try {
        const wasThere = await store.messages.withdraw(message);
        if (wasThere) log.info({ session: message.session }, 'a message whose acceptance failed was withdrawn');
        this.#open.delete(keyOf(message));
        return;
      } catch {
        await sleep(retryMs, signal);
      }
    }
  }
}

/** Another message may wait under the same id. */
const keyOf = ({ session, id, acceptedAt }: UnsureAcceptance): string => JSON.stringify([session, id, acceptedAt]);
