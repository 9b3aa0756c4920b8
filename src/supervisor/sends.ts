/**
 * Messages on their way out. A row that the store has accepted is sent with its own id until WhatsApp has it, it fails
 * for good, or its time is over: a child that dies in between changes nothing but the time it takes.
 */
import type { Clock } from '../clock.ts';
import { WardenError, errorCatalogue, toWardenError } from '../contract/errors.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { AcceptedSend, Store } from '../store/store.ts';
import type { Governor } from './governor.ts';
import { pacingLimit, type Governors } from './governors.ts';
import type { LiveSession } from './live-session.ts';
import { sleep } from './start-gate.ts';

interface SendsOptions {
  readonly store: Pick<Store, 'messages' | 'pacing'>;
  /** How long a child may take for one send: WhatsApp's ack and the way there. */
  readonly deadlineMs: number;
  /** How much longer when there is a file to be uploaded first. */
  readonly uploadMs: number;
  /** The message is sent or has failed: what was kept to send it is of no use any more. */
  readonly onFinal: (accepted: AcceptedSend) => void;
  /** Says when a message may go out; without it nothing is held back. */
  readonly pacing: Pick<Governors, 'ofId'> | null;
  /** How long somebody waits for the turn of a message. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends with the supervisor. */
  readonly signal: AbortSignal;
}

const retryMs = 5000;
const expiredCode = 'expired';

export class Sends {
  readonly #options: SendsOptions;
  /** The sessions whose waiting messages are being sent, or will be after a while; aborting ends that while. */
  readonly #resuming = new Map<LiveSession, AbortController>();
  /** The sessions of which more was released than has been read since. */
  readonly #released = new Set<LiveSession>();

  constructor(options: SendsOptions) {
    this.#options = options;
  }

  /**
   * Sends an accepted message. `pending` when it has not been acknowledged, or could not go out now and will later;
   * throws when it failed for good, and the row says so too. One that pacing has let through already does not wait.
   */
  async send(session: LiveSession, accepted: AcceptedSend, isAdmitted = false): Promise<SendAnswer> {
    try {
      const hold = isAdmitted ? null : await (await this.#governor(session))?.pass(accepted, this.#options.patienceMs);
      if (hold) {
        // Many that were asked for at the same time can each have looked as if they could go soon.
        if (hold.until >= accepted.expiresAt) throw pacingLimit(hold, this.#options.clock.now());
        session.hasWaitingSends = true;
        const { until, reason } = hold;
        // What is held has its whole time after that.
        const ttlMs = accepted.expiresAt - accepted.acceptedAt;
        await this.#options.store.pacing.postpone(session.id, accepted.id, until + ttlMs);
        return { to: accepted.chat, status: 'pending', at: accepted.acceptedAt, held: { until, reason } };
      }
      const answer = await this.#hand(session, accepted);
      if (answer.status === 'pending') session.hasWaitingSends = true;
      return answer;
    } catch (thrown) {
      const error = toWardenError(thrown);
      // Somebody waits for the answer and can decide; what is sent later goes on trying.
      if (isDefinite(error) || error.code === 'media_upload_failed' || error.code === 'pacing_limit') {
        await this.#fail(accepted, error);
        throw error;
      }
      session.hasWaitingSends = true;
      this.resume(session, retryMs);
      return { to: accepted.chat, status: 'pending', at: accepted.acceptedAt };
    }
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
      return signal.aborted || (await this.#sendWaiting(session));
    };
    void run()
      .catch((error: unknown) => {
        log.warn({ err: error, session: session.id }, 'waiting messages could not be sent');
        return false;
      })
      .then((isDone) => {
        this.#resuming.delete(session);
        const hasMore = this.#released.has(session);
        if ((hasMore || !isDone) && session.isConnected) this.resume(session, isDone ? 0 : retryMs);
      });
  }

  /** Sends what was accepted for later and is due, after what waits already. */
  release(session: LiveSession): void {
    session.hasWaitingSends = true;
    this.#released.add(session);
    if (session.isConnected) this.resume(session);
  }

  /** Fails what waited too long, of a session that may not connect for a long time. */
  async expire(session: LiveSession): Promise<void> {
    if (!session.hasWaitingSends || this.#resuming.has(session)) return;
    this.#released.delete(session);
    const governor = await this.#governor(session);
    const waiting = await this.#options.store.messages.listAccepted(session.id);
    for (const accepted of waiting) {
      if (governor?.isWaiting(accepted.id)) continue;
      if (this.#isExpired(accepted) && !session.sending.has(accepted.id)) await this.#fail(accepted, null);
    }
    if (waiting.length === 0 && !this.#released.has(session)) session.hasWaitingSends = false;
  }

  /** Answers whether nothing is left to be tried again soon. */
  async #sendWaiting(session: LiveSession): Promise<boolean> {
    session.hasWaitingSends = false;
    this.#released.delete(session);
    const listedAt = this.#options.clock.monotonic();
    const waiting = await this.#options.store.messages.listAccepted(session.id).catch((error: unknown) => {
      session.hasWaitingSends = true;
      throw error;
    });
    const governor = await this.#governor(session);
    governor?.retain(waiting, listedAt);
    for (const accepted of waiting) {
      if (session.sending.has(accepted.id) || governor?.isWaiting(accepted.id)) continue;
      if (this.#isExpired(accepted)) {
        await this.#fail(accepted, null);
        continue;
      }
      try {
        if (await governor?.pass(accepted, Number.POSITIVE_INFINITY)) {
          session.hasWaitingSends = true;
          continue;
        }
        const answer = await this.#hand(session, accepted);
        if (answer.status === 'pending') session.hasWaitingSends = true;
      } catch (thrown) {
        const error = toWardenError(thrown);
        if (isDefinite(error)) await this.#fail(accepted, error);
        else {
          // The order of what waits is kept: nothing overtakes the one that cannot go out now.
          session.hasWaitingSends = true;
          return false;
        }
      }
    }
    return true;
  }

  async #hand(session: LiveSession, accepted: AcceptedSend): Promise<SendAnswer> {
    const channel = session.host?.child.channel ?? null;
    if (channel === null || !session.isConnected) throw new WardenError('session_not_connected');
    const { id, operation, params, expiresAt, media } = accepted;
    const { deadlineMs, uploadMs } = this.#options;
    session.sending.add(id);
    try {
      const answer = await channel.request(
        'send',
        { session: session.id, name: operation, params, messageId: id, expiresAt, media },
        { deadlineMs: media?.source.tag === 'file' ? deadlineMs + uploadMs : deadlineMs },
      );
      if (answer.status === 'sent') this.#options.onFinal(accepted);
      return answer;
    } catch (thrown) {
      await this.#tellGovernor(session, accepted, toWardenError(thrown));
      throw thrown;
    } finally {
      session.sending.delete(id);
    }
  }

  async #fail(accepted: AcceptedSend, error: WardenError | null): Promise<void> {
    const governor = await this.#options.pacing?.ofId(accepted.session);
    const hold = error === null ? (governor?.holdOf(accepted.id) ?? null) : null;
    const code = error?.code ?? (hold === null ? expiredCode : 'pacing_limit');
    const reason = error?.message ?? hold?.reason ?? 'The session was not connected in time to send the message.';
    await this.#options.store.messages.fail(accepted.session, accepted.id, {
      at: this.#options.clock.now(),
      errorCode: code,
      event: { name: 'message_failed', data: { message_id: accepted.id, chat: accepted.chat, code, reason } },
    });
    governor?.settled(accepted.id);
    this.#options.onFinal(accepted);
  }

  async #governor(session: LiveSession): Promise<Governor | null> {
    return (await this.#options.pacing?.ofId(session.id)) ?? null;
  }

  async #tellGovernor(session: LiveSession, accepted: AcceptedSend, error: WardenError): Promise<void> {
    try {
      await (await this.#governor(session))?.failed(accepted, error);
    } catch (failure) {
      this.#options.log.warn({ err: failure, session: session.id }, 'what follows from a refusal was not stored');
    }
  }

  #isExpired(accepted: AcceptedSend): boolean {
    return accepted.expiresAt <= this.#options.clock.now();
  }
}

/** A failure that the same message would meet again; what the phone has to do first may take for ever. */
const isDefinite = (error: WardenError): boolean =>
  !errorCatalogue[error.code].retryable || error.code === 'app_state_unavailable';
