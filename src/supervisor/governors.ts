/** The governors of all sessions. */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { Logger } from '../log.ts';
import type { PacingStore } from '../store/pacing-store.ts';
import type { SessionRow, Store } from '../store/store.ts';
import { Governor } from './governor.ts';
import type { Hold, PacingSettings } from './pacing-policy.ts';

interface GovernorsOptions {
  readonly store: Pick<Store, 'sessions' | 'commits'> & { readonly pacing: PacingStore };
  readonly settings: PacingSettings;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Governors {
  readonly #options: GovernorsOptions;
  readonly #governors = new Map<SessionId, Governor>();
  readonly #lifetime = new AbortController();
  #onDue: (session: SessionId) => void = () => undefined;

  constructor(options: GovernorsOptions) {
    this.#options = options;
  }

  /** Calls back when held messages of a session may go out. */
  onDue(listener: (session: SessionId) => void): void {
    this.#onDue = listener;
  }

  /** The governor of a session, with what its row says now. */
  of(row: SessionRow): Governor {
    const known = this.#governors.get(row.id);
    if (known !== undefined) {
      known.apply(row);
      return known;
    }
    const { store, settings, clock, log } = this.#options;
    const governor = new Governor(row, {
      store,
      settings,
      clock,
      log,
      onDue: (session) => this.#onDue(session),
      signal: this.#lifetime.signal,
    });
    this.#governors.set(row.id, governor);
    return governor;
  }

  /** Throws `session_not_found`. */
  async ofId(id: SessionId): Promise<Governor> {
    const known = this.#governors.get(id);
    if (known !== undefined) return known;
    const row = await this.#options.store.sessions.get(id);
    if (row === null) throw new WardenError('session_not_found');
    return this.of(row);
  }

  /** Throws `pacing_limit` when a send to this chat would be held longer than it may wait: whoever asks has to know now. */
  async assertSoon(row: SessionRow, chat: string, ttlMs: number): Promise<void> {
    const now = this.#options.clock.now();
    const hold = await this.of(row).forecast(chat);
    if (hold !== null && hold.until - now > ttlMs) throw pacingLimit(hold, now);
  }

  forget(id: SessionId): void {
    this.#governors.get(id)?.stop();
    this.#governors.delete(id);
  }

  stop(): void {
    this.#lifetime.abort();
    for (const governor of this.#governors.values()) governor.stop();
  }
}

/** A message would wait longer than it may. */
export function pacingLimit(hold: Hold, now: number): WardenError {
  return new WardenError('pacing_limit', {
    message: `${hold.reason} The message would wait longer than it may; nothing was sent. Repeat it after Retry-After, or send it as a bulk.`,
    retryAfterMs: Math.max(0, hold.until - now),
  });
}
