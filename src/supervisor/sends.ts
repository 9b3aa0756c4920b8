/**
 * Messages on their way out. A row that the store has accepted is sent with its own id until WhatsApp has it, it fails
 * for good, or its time is over: a child that dies in between changes nothing but the time it takes.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.ts';
import { assertNever } from '../contract/assert-never.ts';
import { WardenError, toWardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import { currentOrigin, outsideRequests } from '../request-scope.ts';
import type { Observer } from '../telemetry/observer.ts';
import { traced } from '../tracing.ts';
import type { AcceptedSend, Store } from '../store/store.ts';
import type { UnsureAcceptance } from '../store/waiting-sends.ts';
import { pacingLimit, type Governors } from './governors.ts';
import type { LiveSession } from './live-session.ts';
import type { Hold } from './pacing-policy.ts';
import { chatOf, isDefinite, pendingOf, type Attempt } from './send-attempt.ts';
import { reportSend } from './send-report.ts';
import { SendPacing } from './send-pacing.ts';
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
  readonly observer?: Pick<Observer, 'sendAcknowledged'> | undefined;
  /** Ends with the supervisor. */
  readonly signal: AbortSignal;
}

const retryMs = 5000;
const expiredCode = 'expired';
const expiredReason = 'WhatsApp did not acknowledge the message in the time it had.';

export class Sends {
  readonly #options: SendsOptions;
  readonly #pacing: SendPacing;
  /** The sessions whose waiting messages are being sent, or will be after a while; aborting ends that while. */
  readonly #resuming = new Map<LiveSession, AbortController>();
  readonly #draining = new AbortController();
  /** The sessions of which more was released than has been read since. */
  readonly #released = new Set<LiveSession>();
  /** The sessions of which a caller's message was left waiting since the last look at what waits. */
  readonly #left = new Set<LiveSession>();
  /** Messages whose acceptance must not come true any more. */
  readonly #unwanted = new Set<string>();

  constructor(options: SendsOptions) {
    this.#options = options;
    this.#pacing = new SendPacing(options.pacing, options.log);
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
      const late = sleep(this.#deadlineOf(accepted), AbortSignal.any([patience.signal, draining]));
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

  /** Fails what waited too long, of whichever session: also of one that nobody starts any more. */
  async expire(liveOf: (session: SessionId) => LiveSession | null): Promise<void> {
    const { store, clock } = this.#options;
    for (const accepted of await store.messages.listExpired(clock.now())) {
      const session = liveOf(accepted.session);
      const isUnderWay = session?.sending.has(accepted.id) === true || this.#unwanted.has(accepted.id);
      // The time that pacing takes is none of its own: its turn comes.
      const isPaced = session?.isConnected === true && (await this.#pacing.holdOf(accepted)) !== null;
      if (!isUnderWay && !isPaced) await this.#fail(accepted, null);
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

  /**
   * What held a chat may be settled by now: by a late ack, or a receipt. What pacing holds came after this message, or
   * pacing would hold this one, too.
   */
  async #isHeldStill(session: LiveSession, chat: string): Promise<boolean> {
    try {
      for (const each of await this.#listWaiting(session)) {
        if (chatOf(each) === chat && (await this.#pacing.holdOf(each)) === null) return true;
      }
      return false;
    } catch {
      return true;
    }
  }

  /**
   * What waits in the store, oldest first, and holds its chats from now on. What a caller waits for is not among it: it is
   * sent for that caller, and waits here, too, when that did not succeed.
   */
  async #listWaiting(session: LiveSession): Promise<readonly AcceptedSend[]> {
    const listedAt = this.#options.clock.monotonic();
    const listing = this.#options.store.messages.listAccepted(session.id);
    const waiting = await session.order.whileReading(listing);
    await this.#pacing.retain(session.id, waiting, listedAt);
    const ours = waiting.filter(({ id }) => !session.sending.has(id) && !this.#unwanted.has(id));
    session.order.holdOnly(ours.map(chatOf));
    return ours;
  }

  /** Keeps a message whose time has not come; throws `pacing_limit` when it would come too late. */
  async #holdBack(session: LiveSession, accepted: AcceptedSend, { until, reason, ...hold }: Hold): Promise<SendAnswer> {
    // Many that were asked for at the same time can each have looked as if they could go soon.
    if (until >= accepted.expiresAt) {
      const error = pacingLimit({ until, reason, ...hold }, this.#options.clock.now());
      await this.#failLastingly(session, accepted, error);
      throw error;
    }
    session.order.hold(chatOf(accepted));
    session.hasWaitingSends = true;
    // What is held has its whole time after that.
    const ttlMs = accepted.expiresAt - accepted.acceptedAt;
    await this.#options.store.pacing.postpone(session.id, accepted.id, until + ttlMs);
    return { ...pendingOf(accepted), held: { until, reason } };
  }

  /** The message holds its chat until it is sent from the store. */
  #leaveWaiting(session: LiveSession, accepted: AcceptedSend): SendAnswer {
    session.order.hold(chatOf(accepted));
    session.hasWaitingSends = true;
    this.#left.add(session);
    this.resume(session, retryMs);
    return pendingOf(accepted);
  }

  /**
   * A message that cannot go out now keeps back those that were accepted after it in its chat, and no others. Answers
   * whether something is left to be tried again soon: what is held comes back when its time has come.
   */
  async #sendWaiting(session: LiveSession): Promise<boolean> {
    const stuck = new Set<string>();
    const settled = new Set<string>();
    /** Pacing keeps the order of a chat itself: the one that it lets go first need not be the oldest. */
    const held = new Set<string>();
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
      const ours = waiting.filter(({ id }) => !settled.has(id) && !held.has(id));
      if (ours.every((accepted) => stuck.has(chatOf(accepted)))) {
        if (ours.length > 0 || held.size > 0) session.hasWaitingSends = true;
        return isToBeRetried;
      }
      // Of those that ended while the list was read nobody knows how; the next list tells.
      const skipped = new Set(stuck);
      for (const accepted of ours) {
        const chat = chatOf(accepted);
        if (under.has(accepted.id)) skipped.add(chat);
        if (skipped.has(chat)) continue;
        const fate = await this.#sendOne(session, accepted);
        if (fate !== 'waiting') {
          (fate === 'held' ? held : settled).add(accepted.id);
          continue;
        }
        stuck.add(chat);
        skipped.add(chat);
        isToBeRetried = true;
        if (!session.isConnected) {
          session.hasWaitingSends = true;
          return true;
        }
      }
    }
  }

  /** What becomes of a waiting message: `settled` is out of the way, sent or failed. */
  async #sendOne(session: LiveSession, accepted: AcceptedSend): Promise<'settled' | 'waiting' | 'held'> {
    const wasHeld = (await this.#pacing.holdOf(accepted)) !== null;
    if (this.#isExpired(accepted) && !wasHeld) {
      await this.#failLastingly(session, accepted, null);
      return 'settled';
    }
    // It is under way from here on, also while it waits for its turn.
    session.sending.add(accepted.id);
    try {
      if ((await this.#pacing.pass(accepted, Number.POSITIVE_INFINITY)) !== null) return 'held';
      const now = this.#options.clock.now();
      const timely = wasHeld ? { ...accepted, expiresAt: Math.max(accepted.expiresAt, now + retryMs) } : accepted;
      const attempt = await session.order.inTurn(chatOf(accepted), () => this.#attempt(session, timely));
      return attempt.tag === 'sent' || attempt.tag === 'failed' ? 'settled' : 'waiting';
    } finally {
      session.sending.delete(accepted.id);
    }
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
      const attributes = { 'warden.session': session.id, 'warden.operation': operation, 'warden.message_id': id };
      const answer = await traced('ipc send', attributes, () =>
        channel.request(
          'send',
          { session: session.id, name: operation, params, messageId: id, expiresAt, media, origin: currentOrigin() },
          { deadlineMs: this.#deadlineOf(accepted) },
        ),
      );
      reportSend(this.#options, accepted, answer.status);
      if (answer.status === 'sent') this.#options.onFinal(accepted);
      return answer;
    } catch (thrown) {
      reportSend(this.#options, accepted, toWardenError(thrown).code);
      await this.#pacing.failed(accepted, toWardenError(thrown));
      throw thrown;
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
    const hold = error === null ? await this.#pacing.holdOf(accepted) : null;
    const code = error?.code ?? (hold === null ? expiredCode : 'pacing_limit');
    const reason = error?.message ?? hold?.reason ?? expiredReason;
    this.#options.log.debug({ session: accepted.session, messageId: accepted.id, code }, 'message failed');
    await this.#options.store.messages.fail(accepted.session, accepted.id, {
      at: this.#options.clock.now(),
      errorCode: code,
      event: { name: 'message_failed', data: { message_id: accepted.id, chat: accepted.chat, code, reason } },
    });
    await this.#pacing.settled(accepted);
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
