/**
 * The accepted messages that wait in the store. In each chat the first goes first, and a new message joins them instead
 * of overtaking one.
 */
import type { Clock } from '../clock.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import { outsideRequests } from '../request-scope.ts';
import type { AcceptedSend, Store } from '../store/store.ts';
import type { Acceptances } from './acceptances.ts';
import type { HandOver } from './hand-over.ts';
import type { LiveSession } from './live-session.ts';
import { chatOf, pendingOf } from './send-attempt.ts';
import type { SendPacing } from './send-pacing.ts';
import { sleep } from './start-gate.ts';

export interface WaitingSendsOptions {
  readonly store: Pick<Store, 'messages'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends with the supervisor. */
  readonly signal: AbortSignal;
}

interface WaitingSendsParts {
  readonly acceptances: Pick<Acceptances, 'isOpen'>;
  readonly pacing: SendPacing;
  readonly handOver: () => HandOver;
}

const retryMs = 5000;

export class WaitingSends {
  readonly #options: WaitingSendsOptions;
  readonly #parts: WaitingSendsParts;
  /** The sessions whose waiting messages are being sent, or will be after a while; aborting ends that while. */
  readonly #resuming = new Map<LiveSession, AbortController>();
  /** The sessions of which more was released than has been read since. */
  readonly #released = new Set<LiveSession>();
  /** The sessions of which a caller's message was left waiting since the last look at what waits. */
  readonly #left = new Set<LiveSession>();

  constructor(options: WaitingSendsOptions, parts: WaitingSendsParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * Whether others of its chat wait in the store that it would overtake. What held the chat may be settled by now: by a
   * late ack, or a receipt. Behind what pacing holds it is held by pacing.
   */
  async isToWait(session: LiveSession, accepted: AcceptedSend): Promise<boolean> {
    const chat = chatOf(accepted);
    if (!(await session.order.isHeld(chat))) return false;
    try {
      for (const each of await this.#listWaiting(session)) {
        if (chatOf(each) === chat && (await this.#parts.pacing.holdOf(each)) === null) return true;
      }
      return false;
    } catch {
      return true;
    }
  }

  /** The message holds its chat until it is sent from the store. */
  leave(session: LiveSession, accepted: AcceptedSend): SendAnswer {
    session.order.hold(chatOf(accepted));
    session.hasWaitingSends = true;
    this.#left.add(session);
    this.resume(session, retryMs);
    return pendingOf(accepted);
  }

  /** A caller's message becomes one of those that wait. */
  join(session: LiveSession, accepted: AcceptedSend): SendAnswer {
    session.sending.delete(accepted.id);
    return this.leave(session, accepted);
  }

  /**
   * Sends what still waits, oldest first; what is over its time fails. With a delay it waits that long, or until it is
   * called without one. Does nothing while it is at it.
   */
  resume(session: LiveSession, delayMs = 0): void {
    const { signal, log } = this.#options;
    if (!session.hasWaitingSends || signal.aborted) return;
    const current = this.#resuming.get(session);
    if (current !== undefined) {
      if (delayMs === 0) current.abort();
      return;
    }
    const wake = new AbortController();
    this.#resuming.set(session, wake);
    const run = async () => {
      if (delayMs > 0) await sleep(delayMs, AbortSignal.any([wake.signal, signal]));
      return !signal.aborted && (await this.#sendWaiting(session));
    };
    // What waits was accepted for others than whoever happens to wake it.
    void outsideRequests(run)
      .catch((error: unknown) => {
        log.warn({ err: error, session: session.id }, 'waiting messages could not be sent');
        return true;
      })
      .then((isToBeRetried) => {
        this.#resuming.delete(session);
        const hasMore = this.#released.has(session);
        const isWaiting = hasMore || isToBeRetried || this.#left.has(session);
        if (isWaiting && session.isConnected) this.resume(session, hasMore ? 0 : retryMs);
      });
  }

  /** Sends what was accepted for later and is due, after what waits already. */
  release(session: LiveSession): void {
    session.hasWaitingSends = true;
    this.#released.add(session);
    if (session.isConnected) this.resume(session);
  }

  /** Nobody knows whether the store has accepted a message of this session: it is sent if it is there. */
  unsure(session: LiveSession): void {
    session.hasWaitingSends = true;
    this.resume(session, retryMs);
  }

  /**
   * What waits in the store, oldest first, and holds its chats from now on, also while it is being sent. What a caller
   * waits for is not among it: it is sent for that caller once it is accepted, and waits here, too, when that did not
   * succeed.
   */
  #listWaiting(session: LiveSession): Promise<readonly AcceptedSend[]> {
    return session.order.look(
      async () => {
        const listedAt = this.#options.clock.monotonic();
        const waiting = await this.#options.store.messages.listAccepted(session.id);
        await this.#parts.pacing.retain(session.id, waiting, listedAt);
        const isForCaller = (id: string): boolean => session.sending.has(id) && !session.resumed.has(id);
        return waiting.filter((each) => !isForCaller(each.id) && !this.#parts.acceptances.isOpen(each));
      },
      (waiting) => waiting.map(chatOf),
    );
  }

  /**
   * A message that cannot go out now keeps back those that were accepted after it in its chat, and no others. Answers
   * whether something is left to be tried again soon: what pacing holds comes back when its time has come.
   */
  async #sendWaiting(session: LiveSession): Promise<boolean> {
    /** Chats whose first message cannot go out now. */
    const stuck = new Set<string>();
    const settled = new Set<string>();
    let isToBeRetried = false;
    for (;;) {
      const under = new Set(session.sending);
      session.hasWaitingSends = false;
      this.#released.delete(session);
      this.#left.delete(session);
      const waiting = await this.#listWaiting(session).catch((error: unknown) => {
        session.hasWaitingSends = true;
        throw error;
      });
      const ours = waiting.filter(({ id }) => !settled.has(id));
      if (ours.every((accepted) => stuck.has(chatOf(accepted)))) {
        if (ours.length > 0) session.hasWaitingSends = true;
        return isToBeRetried;
      }
      // Of those that ended while the list was read nobody knows how; the next list tells.
      const skipped = new Set(stuck);
      for (const accepted of ours) {
        const chat = chatOf(accepted);
        if (under.has(accepted.id)) skipped.add(chat);
        if (skipped.has(chat)) continue;
        const fate = await this.#sendOne(session, accepted);
        if (fate === 'settled') {
          settled.add(accepted.id);
          continue;
        }
        stuck.add(chat);
        skipped.add(chat);
        if (fate === 'held') continue;
        isToBeRetried = true;
        if (!session.isConnected) {
          session.hasWaitingSends = true;
          return true;
        }
      }
    }
  }

  /** What becomes of the first message that waits in a chat: `settled` is out of the way, sent or failed. */
  async #sendOne(session: LiveSession, accepted: AcceptedSend): Promise<'settled' | 'waiting' | 'held'> {
    if (this.#isExpired(accepted) && (await this.#parts.pacing.holdOf(accepted)) === null) {
      await this.#parts.handOver().failLastingly(session, accepted, null);
      return 'settled';
    }
    // It is under way from here on, also while it waits for its turn.
    session.resumed.add(accepted.id);
    session.sending.add(accepted.id);
    try {
      if ((await this.#parts.pacing.passFirst(accepted)) !== null) return 'held';
      // The time that its pace took is none of its own.
      const leastUntil = this.#options.clock.now() + retryMs;
      const timely = { ...accepted, expiresAt: Math.max(accepted.expiresAt, leastUntil) };
      const attempt = await session.order.inTurn(chatOf(accepted), () =>
        this.#parts.handOver().attempt(session, timely),
      );
      return attempt.tag === 'sent' || attempt.tag === 'failed' ? 'settled' : 'waiting';
    } finally {
      session.resumed.delete(accepted.id);
      session.sending.delete(accepted.id);
    }
  }

  #isExpired(accepted: AcceptedSend): boolean {
    return accepted.expiresAt <= this.#options.clock.now();
  }
}
