/**
 * Messages on their way out. A row that the store has accepted is sent with its own id until WhatsApp has it, it fails
 * for good, or its time is over: a child that dies in between changes nothing but the time it takes.
 */
import { setMaxListeners } from 'node:events';
import { assertNever } from '../contract/assert-never.ts';
import type { SessionId } from '../contract/ids.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { AcceptedSend, Store } from '../store/store.ts';
import type { UnsureAcceptance } from '../store/waiting-sends.ts';
import { Acceptances, type Acceptance } from './acceptances.ts';
import { pacingLimit, type Governors } from './governors.ts';
import { HandOver, type HandOverOptions } from './hand-over.ts';
import type { LiveSession } from './live-session.ts';
import type { Hold } from './pacing-policy.ts';
import { chatOf, pendingOf } from './send-attempt.ts';
import { SendPacing } from './send-pacing.ts';
import { sleep } from './start-gate.ts';
import { WaitingSends, type WaitingSendsOptions } from './waiting-sends.ts';

interface SendsOptions extends HandOverOptions, WaitingSendsOptions {
  readonly store: Pick<Store, 'messages' | 'pacing'>;
  /** Says when a message may go out; without it nothing is held back. */
  readonly pacing: Pick<Governors, 'ofId'> | null;
  /** How long somebody waits for the turn of a message. */
  readonly patienceMs: number;
}

export class Sends {
  readonly #options: SendsOptions;
  readonly #pacing: SendPacing;
  readonly #handOver: HandOver;
  readonly #acceptances: Acceptances;
  readonly #waiting: WaitingSends;
  readonly #draining = new AbortController();

  constructor(options: SendsOptions) {
    this.#options = options;
    const pacing = new SendPacing(options.pacing, options.log);
    this.#pacing = pacing;
    const acceptances = new Acceptances(options, (session) => this.#waiting.unsure(session));
    this.#acceptances = acceptances;
    this.#waiting = new WaitingSends(options, { acceptances, pacing, handOver: () => this.#handOver });
    this.#handOver = new HandOver(options, {
      pacing,
      onUnstored: (session, accepted) => this.#waiting.leave(session, accepted),
    });
    // Every caller that waits listens to it.
    setMaxListeners(0, this.#draining.signal);
  }

  /**
   * Sends an accepted message, after all that was accepted before it in the same chat. `pending` when it has not been
   * acknowledged in time, or could not go out now and will later; throws when it failed for good, and the row says so.
   * One that pacing has let through already does not wait for that.
   */
  async send(session: LiveSession, accepted: AcceptedSend, isAdmitted = false): Promise<SendAnswer> {
    session.sending.add(accepted.id);
    if (await this.#waiting.isToWait(session, accepted)) return this.#waiting.join(session, accepted);
    // Before its turn in the chat: many that are asked for at once are to hear at once how long each has to wait.
    const hold = isAdmitted ? null : await this.#pacing.pass(accepted, this.#options.patienceMs);
    if (hold !== null) {
      session.sending.delete(accepted.id);
      return this.#holdBack(session, accepted, hold);
    }
    let hasTurn = false;
    const turn = session.order.inTurn(chatOf(accepted), () => {
      hasTurn = true;
      return this.#sendNow(session, accepted);
    });
    turn.catch(() => undefined);
    const patience = new AbortController();
    const draining = this.#draining.signal;
    try {
      const late = sleep(this.#handOver.deadlineOf(accepted), AbortSignal.any([patience.signal, draining]));
      const end = late.then(() => (draining.aborted && hasTurn ? turn : pendingOf(accepted)));
      return await Promise.race([turn, end]);
    } finally {
      patience.abort();
    }
  }

  /** The gateway is about to stop: callers whose message has to wait for others are not kept until then. */
  drain(): void {
    this.#draining.abort();
  }

  /** As `Acceptances.accept`; whoever calls this calls `send` next. */
  accept(session: LiveSession, message: UnsureAcceptance, acceptance: Acceptance): Promise<void> {
    return this.#acceptances.accept(session, message, acceptance);
  }

  /** Sends what still waits, as long as the session is connected. */
  resume(session: LiveSession): void {
    this.#waiting.resume(session);
  }

  /** Sends what was accepted for later and is due, after what waits already. */
  release(session: LiveSession): void {
    this.#waiting.release(session);
  }

  /** Fails what waited too long, of whichever session: also of one that nobody starts any more. */
  async expire(liveOf: (session: SessionId) => LiveSession | null): Promise<void> {
    const { store, clock } = this.#options;
    for (const accepted of await store.messages.listExpired(clock.now())) {
      const session = liveOf(accepted.session);
      const isUnderWay = session?.sending.has(accepted.id) === true || this.#acceptances.isOpen(accepted);
      // The time that pacing takes is none of its own: its turn comes.
      const isPaced = session?.isConnected === true && (await this.#pacing.holdOf(accepted)) !== null;
      if (!isUnderWay && !isPaced) await this.#handOver.fail(accepted, null);
    }
  }

  async #sendNow(session: LiveSession, accepted: AcceptedSend): Promise<SendAnswer> {
    // The one before it can have been left waiting since.
    if (await this.#waiting.isToWait(session, accepted)) return this.#waiting.join(session, accepted);
    const attempt = await this.#handOver.attempt(session, accepted).finally(() => session.sending.delete(accepted.id));
    switch (attempt.tag) {
      case 'sent':
        return attempt.answer;
      case 'failed':
        throw attempt.error;
      case 'pending':
        this.#waiting.leave(session, accepted);
        return attempt.answer;
      case 'waiting': {
        // Somebody waits for the answer and can decide; what is sent later goes on trying.
        if (attempt.error.code === 'media_upload_failed') {
          await this.#handOver.failLastingly(session, accepted, attempt.error);
          throw attempt.error;
        }
        return this.#waiting.leave(session, accepted);
      }
      default:
        return assertNever(attempt);
    }
  }

  /** Keeps a message whose time has not come; throws `pacing_limit` when it would come too late. */
  async #holdBack(session: LiveSession, accepted: AcceptedSend, { until, reason, ...hold }: Hold): Promise<SendAnswer> {
    // Many that were asked for at the same time can each have looked as if they could go soon.
    if (until >= accepted.expiresAt) {
      const error = pacingLimit({ until, reason, ...hold }, this.#options.clock.now());
      await this.#handOver.failLastingly(session, accepted, error);
      throw error;
    }
    session.order.hold(chatOf(accepted));
    session.hasWaitingSends = true;
    // What is held has its whole time after that.
    const ttlMs = accepted.expiresAt - accepted.acceptedAt;
    await this.#options.store.pacing.postpone(session.id, accepted.id, until + ttlMs);
    return { ...pendingOf(accepted), held: { until, reason } };
  }
}
