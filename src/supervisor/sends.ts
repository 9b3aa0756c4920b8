/**
 * Messages on their way out. A row that the store has accepted is sent with its own id until WhatsApp has it, it fails
 * for good, or its time is over: a child that dies in between changes nothing but the time it takes.
 */
import type { Clock } from '../clock.ts';
import { assertNever } from '../contract/assert-never.ts';
import { WardenError, errorCatalogue, toWardenError } from '../contract/errors.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { AcceptedSend, Store } from '../store/store.ts';
import type { UnsureAcceptance } from '../store/waiting-sends.ts';
import type { LiveSession } from './live-session.ts';
import { sleep } from './start-gate.ts';

interface SendsOptions {
  readonly store: Pick<Store, 'messages'>;
  /** How long a child may take for one send: WhatsApp's ack and the way there. */
  readonly deadlineMs: number;
  /** How much longer when there is a file to be uploaded first. */
  readonly uploadMs: number;
  /** The message is sent or has failed: what was kept to send it is of no use any more. */
  readonly onFinal: (accepted: AcceptedSend) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends with the supervisor. */
  readonly signal: AbortSignal;
}

const retryMs = 5000;
const expiredCode = 'expired';
const expiredReason = 'WhatsApp did not acknowledge the message in the time it had.';

/** What came of one attempt: `waiting` may go out later and has not failed. */
type Attempt =
  | { readonly tag: 'sent' | 'pending'; readonly answer: SendAnswer }
  | { readonly tag: 'waiting'; readonly error: WardenError }
  | { readonly tag: 'failed'; readonly error: WardenError };

export class Sends {
  readonly #options: SendsOptions;
  /** The sessions whose waiting messages are being sent, or will be after a while; aborting ends that while. */
  readonly #resuming = new Map<LiveSession, AbortController>();
  /** Messages whose acceptance must not come true any more. */
  readonly #unwanted = new Set<string>();

  constructor(options: SendsOptions) {
    this.#options = options;
  }

  /**
   * Sends an accepted message, after all that was accepted before it in the same chat. `pending` when it has not been
   * acknowledged in time, or could not go out now and will later; throws when it failed for good, and the row says so.
   */
  async send(session: LiveSession, accepted: AcceptedSend): Promise<SendAnswer> {
    session.sending.add(accepted.id);
    const turn = session.order.inTurn(chatOf(accepted), () => this.#sendNow(session, accepted));
    turn.catch(() => undefined);
    const patience = new AbortController();
    try {
      const late = sleep(this.#deadlineOf(accepted), patience.signal).then(() => pendingOf(accepted));
      return await Promise.race([turn, late]);
    } finally {
      patience.abort();
    }
  }

  /**
   * Nobody knows whether the store has accepted a message. `withdraw`: its caller was told that it was not, and has no
   * way to repeat it under the same id; it must not go out. Otherwise it is sent if it is there.
   */
  unsure(session: LiveSession, acceptance: UnsureAcceptance, withdraw: boolean): void {
    if (withdraw) void this.#withdraw(acceptance);
    else {
      session.hasWaitingSends = true;
      this.resume(session, retryMs);
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
      if (!signal.aborted) await this.#sendWaiting(session);
    };
    void run()
      .catch((error: unknown) => log.warn({ err: error, session: session.id }, 'waiting messages could not be sent'))
      .then(() => {
        this.#resuming.delete(session);
        if (session.isConnected) this.resume(session, retryMs);
      });
  }

  /** Fails what waited too long, of whichever session: also of one that nobody starts any more. */
  async expire(isUnderWay: (accepted: AcceptedSend) => boolean): Promise<void> {
    const { store, clock } = this.#options;
    for (const accepted of await store.messages.listExpired(clock.now())) {
      if (!isUnderWay(accepted) && !this.#unwanted.has(accepted.id)) await this.#fail(accepted, null);
    }
  }

  async #sendNow(session: LiveSession, accepted: AcceptedSend): Promise<SendAnswer> {
    const { id } = accepted;
    const chat = chatOf(accepted);
    if ((await session.order.isHeld(chat)) && (await this.#isHeldStill(session, chat))) {
      session.sending.delete(id);
      return this.#leaveWaiting(session, accepted);
    }
    const attempt = await this.#attempt(session, accepted).finally(() => session.sending.delete(id));
    switch (attempt.tag) {
      case 'sent':
        return attempt.answer;
      case 'failed':
        throw attempt.error;
      case 'pending':
        this.#leaveWaiting(session, accepted);
        return attempt.answer;
      case 'waiting': {
        // Somebody waits for the answer and can decide; what is sent later goes on trying.
        if (attempt.error.code === 'media_upload_failed') {
          await this.#failLastingly(session, accepted, attempt.error);
          throw attempt.error;
        }
        return this.#leaveWaiting(session, accepted);
      }
      default:
        return assertNever(attempt);
    }
  }

  /** What held a chat may be settled by now: by a late ack, or a receipt. */
  async #isHeldStill(session: LiveSession, chat: string): Promise<boolean> {
    try {
      const waiting = await this.#listWaiting(session);
      return waiting.some((accepted) => chatOf(accepted) === chat);
    } catch {
      return true;
    }
  }

  /**
   * What waits in the store, oldest first, and holds its chats from now on. What a caller waits for is not among it: it is
   * sent for that caller, and waits here, too, when that did not succeed.
   */
  async #listWaiting(session: LiveSession): Promise<readonly AcceptedSend[]> {
    const listing = this.#options.store.messages.listAccepted(session.id);
    const waiting = await session.order.whileReading(listing);
    const ours = waiting.filter(({ id }) => !session.sending.has(id) && !this.#unwanted.has(id));
    session.order.holdOnly(ours.map(chatOf));
    return ours;
  }

  /** The message holds its chat until it is sent from the store. */
  #leaveWaiting(session: LiveSession, accepted: AcceptedSend): SendAnswer {
    session.order.hold(chatOf(accepted));
    session.hasWaitingSends = true;
    this.resume(session, retryMs);
    return pendingOf(accepted);
  }

  /** A message that cannot go out now keeps back those that were accepted after it in its chat, and no others. */
  async #sendWaiting(session: LiveSession): Promise<void> {
    const stuck = new Set<string>();
    const settled = new Set<string>();
    for (;;) {
      const under = new Set(session.sending);
      session.hasWaitingSends = false;
      const waiting = await this.#listWaiting(session).catch((error: unknown) => {
        session.hasWaitingSends = true;
        throw error;
      });
      const ours = waiting.filter(({ id }) => !settled.has(id));
      if (ours.every((accepted) => stuck.has(chatOf(accepted)))) {
        if (ours.length > 0) session.hasWaitingSends = true;
        return;
      }
      // Of those that ended while the list was read nobody knows how; the next list tells.
      const skipped = new Set(stuck);
      for (const accepted of ours) {
        const chat = chatOf(accepted);
        if (under.has(accepted.id)) skipped.add(chat);
        if (skipped.has(chat)) continue;
        if (await this.#isSettled(session, accepted)) {
          settled.add(accepted.id);
          continue;
        }
        stuck.add(chat);
        skipped.add(chat);
        if (!session.isConnected) {
          session.hasWaitingSends = true;
          return;
        }
      }
    }
  }

  /** Whether a waiting message is out of the way now: sent, or failed. */
  async #isSettled(session: LiveSession, accepted: AcceptedSend): Promise<boolean> {
    if (this.#isExpired(accepted)) {
      await this.#failLastingly(session, accepted, null);
      return true;
    }
    const attempt = await session.order.inTurn(chatOf(accepted), () => this.#attempt(session, accepted));
    return attempt.tag === 'sent' || attempt.tag === 'failed';
  }

  async #attempt(session: LiveSession, accepted: AcceptedSend): Promise<Attempt> {
    try {
      const answer = await this.#hand(session, accepted);
      return { tag: answer.status, answer };
    } catch (thrown) {
      const error = toWardenError(thrown);
      if (!isDefinite(error)) return { tag: 'waiting', error };
      await this.#failLastingly(session, accepted, error);
      return { tag: 'failed', error };
    }
  }

  async #hand(session: LiveSession, accepted: AcceptedSend): Promise<SendAnswer> {
    const channel = session.host?.child.channel ?? null;
    if (channel === null || !session.isConnected) throw new WardenError('session_not_connected');
    const { id, operation, params, expiresAt, media } = accepted;
    session.sending.add(id);
    try {
      const answer = await channel.request(
        'send',
        { session: session.id, name: operation, params, messageId: id, expiresAt, media },
        { deadlineMs: this.#deadlineOf(accepted) },
      );
      if (answer.status === 'sent') this.#options.onFinal(accepted);
      return answer;
    } finally {
      session.sending.delete(id);
    }
  }

  /** As long as the failure is not in the store the message waits, and will be tried again. */
  async #failLastingly(session: LiveSession, accepted: AcceptedSend, error: WardenError | null): Promise<void> {
    await this.#fail(accepted, error).catch((thrown: unknown) => {
      this.#leaveWaiting(session, accepted);
      throw thrown;
    });
  }

  async #fail(accepted: AcceptedSend, error: WardenError | null): Promise<void> {
    const code = error?.code ?? expiredCode;
    const reason = error?.message ?? expiredReason;
    await this.#options.store.messages.fail(accepted.session, accepted.id, {
      at: this.#options.clock.now(),
      errorCode: code,
      event: { name: 'message_failed', data: { message_id: accepted.id, chat: accepted.chat, code, reason } },
    });
    this.#options.onFinal(accepted);
  }

  async #withdraw(acceptance: UnsureAcceptance): Promise<void> {
    const { store, signal, log } = this.#options;
    this.#unwanted.add(acceptance.id);
    while (!signal.aborted) {
      try {
        const wasThere = await store.messages.withdraw(acceptance);
        if (wasThere) log.info({ session: acceptance.session }, 'a message whose acceptance failed was withdrawn');
        this.#unwanted.delete(acceptance.id);
        return;
      } catch {
        await sleep(retryMs, signal);
      }
    }
  }

  #deadlineOf({ media }: AcceptedSend): number {
    const { deadlineMs, uploadMs } = this.#options;
    return media?.source.tag === 'file' ? deadlineMs + uploadMs : deadlineMs;
  }

  #isExpired(accepted: AcceptedSend): boolean {
    return accepted.expiresAt <= this.#options.clock.now();
  }
}

/** The chat as it was asked for: the store's is another once the recipient has been resolved. */
function chatOf({ params, chat }: AcceptedSend): string {
  const to: unknown = typeof params === 'object' && params !== null && 'to' in params ? params.to : null;
  return typeof to === 'string' ? to : chat;
}

const pendingOf = ({ chat, acceptedAt }: AcceptedSend): SendAnswer => ({
  to: chat,
  status: 'pending',
  at: acceptedAt,
});

/** A failure that the same message would meet again; what the phone has to do first may take for ever. */
const isDefinite = (error: WardenError): boolean =>
  !errorCatalogue[error.code].retryable || error.code === 'app_state_unavailable';
