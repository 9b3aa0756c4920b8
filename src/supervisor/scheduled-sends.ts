/**
 * Sends scheduled messages when their time has come. One timer is armed for the next of them; whoever schedules an
 * earlier one wakes it. A message that is due moves into the accepted ones, which are sent, tried again and failed by
 * sends.ts; the store sees to it that of several gateways only one moves it.
 */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { Logger } from '../log.ts';
import type { OwnedSession, ScheduledStore } from '../store/scheduled-store.ts';
import { dueDelayMs } from './due-delay.ts';

interface ScheduledSendsOptions {
  readonly store: Pick<ScheduledStore, 'release' | 'nextDueAt' | 'listWaitingSessions'>;
  readonly host: {
    owned(): readonly OwnedSession[];
    /** Sends what was accepted of a session, or keeps it waiting. Throws `session_not_found`. */
    release(session: SessionId): Promise<void>;
  };
  /** How long after its time a message may still be sent. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const batchSize = 200;
const retryMs = 5_000;

export class ScheduledSends {
  readonly #options: ScheduledSendsOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Unix milliseconds of the next look; infinite while one is under way. */
  #nextAt = Infinity;
  #wokenFor = Infinity;
  #round: Promise<void> = Promise.resolve();
  #isStopped = false;
  #hasResumed = false;

  constructor(options: ScheduledSendsOptions) {
    this.#options = options;
  }

  /** Begins with what became due while no gateway ran. */
  start(): void {
    this.#look();
  }

  /** A message is to be sent at an instant, unix milliseconds. */
  wakeAt(dueAt: number): void {
    this.#wokenFor = Math.min(this.#wokenFor, dueAt);
    const isWaiting = this.#timer !== undefined && !this.#isStopped;
    if (isWaiting && dueAt < this.#nextAt) this.#arm(dueAt - this.#options.clock.now());
  }

  /** Resolves when what is under way is done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  #look(): void {
    this.#timer = undefined;
    this.#nextAt = Infinity;
    this.#wokenFor = Infinity;
    this.#round = this.#releaseDue()
      .catch((error: unknown) => {
        // What was moved and not handed over is among all that waits.
        this.#hasResumed = false;
        this.#options.log.warn({ err: error }, 'scheduled messages could not be looked for');
        return retryMs;
      })
      .then((delayMs) => {
        // What was scheduled meanwhile may have been too late for this look.
        if (!this.#isStopped) this.#arm(Math.min(delayMs, this.#wokenFor - this.#options.clock.now()));
      });
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer);
    const waitMs = Math.max(0, delayMs);
    this.#nextAt = this.#options.clock.now() + waitMs;
    this.#timer = setTimeout(() => this.#look(), waitMs);
  }

  /** Answers in how many milliseconds to look again. */
  async #releaseDue(): Promise<number> {
    const { store, host, ttlMs, clock } = this.#options;
    if (!this.#hasResumed) {
      // Messages that a gateway before this one has accepted, of sessions that this one may never start.
      for (const session of await store.listWaitingSessions()) await this.#release(session);
      this.#hasResumed = true;
    }
    for (;;) {
      const released = await store.release({ now: clock.now(), ttlMs, owned: host.owned(), limit: batchSize });
      for (const session of new Set(released.map((send) => send.session))) await this.#release(session);
      if (released.length < batchSize || this.#isStopped) break;
    }
    return dueDelayMs(await store.nextDueAt(), clock.now());
  }

  async #release(session: SessionId): Promise<void> {
    try {
      await this.#options.host.release(session);
    } catch (error) {
      // A session that was deleted meanwhile has taken its messages along.
      if (!(error instanceof WardenError) || error.code !== 'session_not_found') throw error;
    }
  }
}
