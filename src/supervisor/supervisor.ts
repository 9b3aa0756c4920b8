/**
 * Makes sessions run as the store says that people want them. Every wish is stored first and acted upon then, so that a
 * restart of the supervisor restores exactly what should run; wishes for one session are carried out one after the other.
 */
import { setMaxListeners } from 'node:events';
import { WardenError, toWardenError } from '../contract/errors.ts';
import { currentOrigin } from '../request-scope.ts';
import { traced } from '../tracing.ts';
import type { SessionId } from '../contract/ids.ts';
import type { LinkTarget, PairingOffer, PreparedMedia, SendAnswer, ToChild } from '../contract/ipc.ts';
import type { MovedSession } from '../contract/moved-session.ts';
import type { OwnedSession } from '../store/scheduled-store.ts';
import type { AcceptedSend, SessionRow } from '../store/store.ts';
import type { UnsureAcceptance } from '../store/waiting-sends.ts';
import type { Acceptance } from './acceptances.ts';
import { countRefusalOf, type NewSessionWishes } from './admission.ts';
import { ChangeListeners } from './change-listeners.ts';
import { exportedReason, exportSession, takeBack } from './export-session.ts';
import { forgetPairing } from './forget-pairing.ts';
import { Hosting } from './hosting.ts';
import type { LiveSession } from './live-session.ts';
import { pairingChannel, type PairCodeRequest } from './pairing-channel.ts';
import { Sends } from './sends.ts';
import { SessionBook } from './session-book.ts';
import { SessionNews } from './session-news.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import type { BreakerView } from './start-breaker.ts';
import { sleep } from './start-gate.ts';
import { readStats, weigh, type OtherProcesses, type SupervisorStats } from './stats.ts';
import { connectedChannel, notConnected, statusOf } from './session-status.ts';
import type { SessionView } from './session-view.ts';
import { isOver } from './status.ts';
import { VitalsHistory } from './vitals-history.ts';
import { waitUntil } from './wait-until.ts';

const pairCodeDeadlineMs = 20_000;
const logoutDeadlineMs = 15_000;
/** A child answers a send at the latest when its own time for WhatsApp's ack is over; this is for the way. */
const sendMarginMs = 5000;
const expirySweepMs = 15_000;
const reconcileRetryMs = 1000;

export class Supervisor {
  readonly vitals: VitalsHistory;
  readonly #options: SupervisorOptions;
  readonly #sessions: SessionBook;
  readonly #lifetime = new AbortController();
  readonly #listeners: ChangeListeners;
  readonly #news: SessionNews;
  readonly #hosting: Hosting;
  readonly #sends: Sends;
  #sweep: NodeJS.Timeout | null = null;
  #reconciling: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { store, settings, clock, log } = options;
    const { signal } = this.#lifetime;
    // Everything that waits listens to it; there may be many.
    setMaxListeners(0, signal);
    this.#listeners = new ChangeListeners(log);
    this.#news = new SessionNews({ store, clock, log, signal });
    this.#sessions = new SessionBook({
      store,
      clock,
      log,
      onAdopted: (session) => {
        this.#news.watch(session.id, () => statusOf(session, session.desired, this.#hosting.startsPausedMs));
      },
      onChanged: (id) => {
        this.#listeners.tell(id);
        this.#news.changed(id);
      },
    });
    const { sendTimeoutMs, mediaUploadTimeoutMs: uploadMs } = settings.limits;
    const onFinal = options.onFinal ?? (() => undefined);
    const deadlineMs = sendTimeoutMs + sendMarginMs;
    const pacing = options.pacing ?? null;
    this.#sends = new Sends({ ...options, deadlineMs, patienceMs: sendTimeoutMs, uploadMs, onFinal, pacing, signal });
    pacing?.onDue((id) => {
      const session = this.#sessions.known(id);
      if (session !== null) this.#sends.resume(session);
    });
    this.#hosting = new Hosting({
      ...options,
      signal,
      onConnected: (session) => this.#sends.resume(session),
      onBreaker: () => {
        for (const session of this.#sessions.all) session.changed();
      },
      onRestarted: ({ id }, verdict, restarts) => this.#news.restarted(id, verdict, restarts),
    });
    this.vitals = new VitalsHistory({ hosting: this.#hosting, otherProcesses: () => this.#otherProcesses, clock });
  }

  /** Kills what a former gateway left running, and begins to start what should run; also when the store is away. */
  async start(): Promise<void> {
    await this.#hosting.prepare();
    this.vitals.start();
    this.#sweep = setInterval(() => this.#expireSends(), expirySweepMs);
    this.#reconciling = this.#reconcile();
  }

  /** Has callers answered whose messages have to wait for others: they go out after the next start. */
  drain(): void {
    this.#sends.drain();
  }

  /** Ends all children in parallel, their links closed without logging out; kills what is left after `budgetMs`. */
  async stop(budgetMs: number): Promise<void> {
    this.#lifetime.abort(new WardenError('shutting_down'));
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.vitals.stop();
    await this.#reconciling;
    await this.#hosting.stop(budgetMs);
    await Promise.all(this.#sessions.all.map((session) => session.saved()));
  }

  /** Throws `capacity_exhausted` when there is no room for another session beside the `existing` ones. */
  assertCapacity(wishes: NewSessionWishes): void {
    const refusal = countRefusalOf(wishes.existing, this.#options.settings.admission);
    if (refusal !== null) throw new WardenError('capacity_exhausted', { message: refusal });
    const { sandbox: isSandbox, memoryCapMb } = wishes;
    if (wishes.starts) this.#hosting.assertCapacity({ isSandbox, isIsolated: false, memoryCapMb });
  }

  get breaker(): BreakerView {
    return this.#hosting.breaker;
  }

  /** Makes changes of a session's row true for its process. */
  async reconsider(id: SessionId): Promise<void> {
    await this.#exclusively(id, (session) => this.#hosting.reconsider(session));
  }

  stats(): SupervisorStats {
    return readStats(this.#hosting, this.#options.settings, this.#otherProcesses);
  }

  get #otherProcesses(): OtherProcesses {
    return this.#options.otherProcesses?.() ?? { postgres: null, simulator: null };
  }

  /** Finds out what of `stats` takes time, unless that was done just now. */
  weigh(): Promise<void> {
    return weigh(this.#hosting, this.#otherProcesses);
  }

  /** Starts a session, anew if its link has ended. Throws `already_connected`, `capacity_exhausted`, `session_exported`. */
  async connect(id: SessionId, takesBack = false): Promise<void> {
    await this.#exclusively(id, async (session, row) => {
      if (session.isConnected) throw new WardenError('already_connected');
      if (session.host === null) this.#hosting.assertCapacity(session.wishes);
      await takeBack(row, this.#options.store, takesBack);
      await this.#want(row, 'running');
      await this.#hosting.begin(session);
    });
  }

  /** Closes the link and ends the child; the session stays paired. */
  async disconnect(id: SessionId): Promise<void> {
    await this.#exclusively(id, async (session, row) => {
      await this.#want(row, 'stopped');
      await this.#hosting.release(session);
      session.trouble = null;
      if (!isOver(session.link)) session.setLink('idle', 'The session is disconnected.');
    });
  }

  /** Stops a session for good and answers all of it, for another gateway. Throws `not_paired`. */
  async export(id: SessionId): Promise<MovedSession> {
    return this.#exclusively(id, async (session, row) => {
      if (!session.link.isPaired) throw new WardenError('not_paired');
      await this.#want(row, 'stopped');
      await this.#hosting.release(session);
      session.trouble = null;
      return exportSession(session, this.#options);
    });
  }

  /** Begins with a new process, whatever state the session is in. Throws `session_exported` as `connect` does. */
  async restart(id: SessionId, takesBack = false): Promise<void> {
    await this.#exclusively(id, async (session, row) => {
      await takeBack(row, this.#options.store, takesBack);
      await this.#want(row, 'running');
      await this.#hosting.restart(session);
    });
  }

  /** Unlinks the session from its phone: through WhatsApp when it is connected, only here otherwise. Throws `not_paired`. */
  async logout(id: SessionId): Promise<void> {
    await this.#exclusively(id, async (session, row) => {
      if (!session.link.isPaired) throw new WardenError('not_paired');
      const { host } = session;
      if (host !== null && session.isConnected) await host.logOut(session, logoutDeadlineMs);
      await this.#want(row, 'stopped');
      await this.#hosting.release(session);
      if (session.link.state !== 'logged_out') await forgetPairing(session, this.#options);
      // What is paired anew is another device, and at home here.
      await takeBack(row, this.#options.store, true);
    });
  }

  /** Ends a session and deletes everything stored of it; unlinks it from its phone if that works right now. */
  async remove(id: SessionId): Promise<void> {
    await this.#exclusively(id, async (session) => {
      const { host } = session;
      if (host !== null && session.isConnected) {
        await host.logOut(session, logoutDeadlineMs).catch((error: unknown) => {
          this.#options.log.warn({ err: error, session: id }, 'session could not be unlinked before its deletion');
        });
      }
      await this.#hosting.release(session);
      await session.saved();
      const wasThere = await this.#options.store.sessions.delete(id);
      this.#sessions.forget(id);
      this.#news.forget(id);
      this.#options.pacing?.forget(id);
      session.changed();
      if (!wasThere) throw new WardenError('session_not_found');
    });
  }

  /** Asks WhatsApp for a pair code, connecting the session when needed. Throws `already_paired`, `whatsapp_timeout`. */
  async pairCode(id: SessionId, request: PairCodeRequest): Promise<PairingOffer> {
    const session = await this.#exclusively(id, async (session, row) => {
      if (session.link.isPaired) throw new WardenError('already_paired');
      await this.#want(row, 'running');
      await this.#hosting.begin(session);
      return session;
    });
    const channel = await pairingChannel(session, {
      listen: (listener) => this.onChange(id, listener),
      signal: this.#lifetime.signal,
    });
    return channel.request('pair_code', { session: id, ...request }, { deadlineMs: pairCodeDeadlineMs });
  }

  /** Forwards an operation to the child. Throws what its handler throws, and what a channel throws. */
  // oxlint-disable-next-line max-params -- a call is its target, its name, its arguments and its time
  async call(id: SessionId, name: string, params: unknown, deadlineMs: number): Promise<unknown> {
    const session = await this.#sessions.live(id);
    const channel = connectedChannel(session);
    session.calls++;
    try {
      return await traced('ipc operation', { 'warden.session': id, 'warden.operation': name }, () =>
        channel.request('operation', { session: id, name, params, origin: currentOrigin() }, { deadlineMs }),
      );
    } finally {
      session.calls--;
    }
  }

  /** Where the session is linked to. */
  targetOf(row: SessionRow): Promise<LinkTarget> {
    return this.#options.resolveTarget(row);
  }

  /** Uploads prepared media without sending it. Throws `media_upload_failed`. */
  async uploadMedia(id: SessionId, media: PreparedMedia): Promise<ToChild['upload_media']['answer']> {
    const { limits } = this.#options.settings;
    const deadlineMs = limits.mediaUploadTimeoutMs + limits.queryTimeoutMs + sendMarginMs;
    return connectedChannel(await this.#sessions.live(id)).request(
      'upload_media',
      { session: id, media },
      { deadlineMs },
    );
  }

  /** Has the phone upload the file of a message again. Throws `media_gone`. */
  async renewMedia(id: SessionId, messageId: string): Promise<ToChild['renew_media']['answer']> {
    const deadlineMs = this.#options.settings.limits.queryTimeoutMs + sendMarginMs;
    return connectedChannel(await this.#sessions.live(id)).request(
      'renew_media',
      { session: id, messageId },
      { deadlineMs },
    );
  }

  /** Throws `session_not_connected` when a message could not go out now. */
  async assertSendable(id: SessionId): Promise<void> {
    const session = await this.#sessions.live(id);
    if (!session.isConnected || session.isLeaving) throw notConnected(session);
  }

  /** Sends what the store has accepted. `pending`: not acknowledged yet, goes on by itself. Throws for definite failures. */
  async send(accepted: AcceptedSend, isAdmitted = false): Promise<SendAnswer> {
    return this.#sends.send(await this.#sessions.live(accepted.session), accepted, isAdmitted);
  }

  /** Sends what the store has accepted of a session meanwhile, or keeps it waiting. Throws `session_not_found`. */
  async release(id: SessionId): Promise<void> {
    this.#sends.release(await this.#sessions.live(id));
  }

  /** The sessions that this gateway hosts or has hosted. */
  owned(): readonly OwnedSession[] {
    return this.#sessions.all.flatMap(({ id, epoch }) => (epoch === null ? [] : [{ session: id, epoch }]));
  }

  /** Has the store accept a message that is to be sent by `send` next; see Acceptances. Throws what the store does. */
  async accept(message: UnsureAcceptance, acceptance: Acceptance): Promise<void> {
    return this.#sends.accept(await this.#sessions.live(message.session), message, acceptance);
  }

  view(row: SessionRow): SessionView {
    const session = this.#sessions.of(row);
    return {
      link: session.isTold ? session.link : null,
      child: session.host?.view() ?? session.lastChild,
      ...statusOf(session, row.desired, this.#hosting.startsPausedMs),
      ...(row.exportedAt !== null && row.desired === 'stopped' ? { statusReason: exportedReason } : {}),
      pacing: this.#options.pacing?.of(row).summary() ?? null,
    };
  }

  /** Calls back after every change of the session's view; the answer ends it. */
  onChange(id: SessionId, listener: () => void): () => void {
    return this.#listeners.on(id, listener);
  }

  /** Waits until `probe` answers something of a session's view; null when the time is up or the signal ends it. */
  async waitFor<Found>(
    row: SessionRow,
    probe: (view: SessionView) => Found | null,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Found | null> {
    return waitUntil({
      listen: (listener) => this.onChange(row.id, listener),
      until: () => probe(this.view(row)),
      timeoutMs,
      signal: AbortSignal.any([signal, this.#lifetime.signal]),
    });
  }

  async #exclusively<Value>(
    id: SessionId,
    task: (session: LiveSession, row: SessionRow) => Promise<Value>,
  ): Promise<Value> {
    const session = await this.#sessions.live(id);
    return session.queue.run(async () => {
      if (this.#lifetime.signal.aborted) throw new WardenError('shutting_down');
      const row = await this.#options.store.sessions.get(id);
      if (row === null) throw new WardenError('session_not_found');
      session.memoryCapMb = row.memoryCapMb;
      session.isolated = row.isolated;
      return task(session, row);
    });
  }

  async #want(row: SessionRow, desired: 'running' | 'stopped'): Promise<void> {
    if (row.desired !== desired) await this.#options.store.sessions.setDesired(row.id, desired);
    const session = this.#sessions.known(row.id);
    if (session === null || session.desired === desired) return;
    session.desired = desired;
    session.changed();
  }

  async #reconcile(): Promise<void> {
    const { store, log } = this.#options;
    const { signal } = this.#lifetime;
    while (!signal.aborted) {
      try {
        const rows = await store.sessions.listDesired();
        for (const row of rows) this.#restore(row);
        return;
      } catch (error) {
        log.warn({ err: error }, 'sessions could not be read, trying again');
        await sleep(reconcileRetryMs, signal);
      }
    }
  }

  /** A link that had ended for good stays ended until somebody calls connect. */
  #restore(row: SessionRow): void {
    const session = this.#sessions.of(row);
    if (isOver(session.link)) return;
    session.queue
      .run(async () => {
        if (session.host === null && !this.#lifetime.signal.aborted) await this.#hosting.begin(session);
      })
      .catch((error: unknown) =>
        this.#options.log.error({ err: error, session: row.id }, 'session could not be restored'),
      );
  }

  #expireSends(): void {
    const { log } = this.#options;
    this.#sends
      .expire((id) => this.#sessions.known(id))
      .catch((error: unknown) => log.warn({ err: toWardenError(error) }, 'expired messages could not be failed'));
  }
}
