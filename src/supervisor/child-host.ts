/** A child and the sessions that live in it: starts them in every new process of the child, and takes them out again. */
import { WardenError, toWardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { LinkSnapshot, LinkTarget } from '../contract/ipc.ts';
import type { ChildExit, SessionRow, Store } from '../store/store.ts';
import { accuse, addTrouble, type Accusation, type Suspect } from './culprit.ts';
import type { ExitVerdict } from './exit-cause.ts';
import type { ExitReport } from './exit-report.ts';
import { exitOfSession } from './exit-of-session.ts';
import type { LiveSession } from './live-session.ts';
import type { ChildChannel, ChildEnvironment } from './child-environment.ts';
import { ManagedChild } from './managed-child.ts';
import type { MemoryWarning } from './recycling.ts';
import { memoryCaps } from './memory-policy.ts';
import { hasProcess } from './process-machine.ts';
import { serveChild } from './serve-child.ts';
import { sleep, type LinkGate } from './start-gate.ts';
import { loadStart } from './load-start.ts';
import type { ProcessTag } from './status.ts';

export interface ChildView {
  readonly pid: number | null;
  readonly state: ProcessTag;
  readonly memoryBytes: number | null;
  readonly capBytes: number;
  /** It grew again soon after it was replaced for that. */
  readonly memoryWarning: MemoryWarning | null;
  /** Sessions that live in it, this one included. */
  readonly sessions: number;
  readonly restarts: number;
  /** `at` in unix milliseconds. */
  readonly lastExit: { readonly cause: string; readonly at: number; readonly detail: string } | null;
}

export interface HostEnvironment extends ChildEnvironment {
  readonly store: Store;
  readonly linkGate: LinkGate;
  readonly resolveTarget: (row: SessionRow) => Promise<LinkTarget>;
  readonly onLink: (session: LiveSession, snapshot: LinkSnapshot) => void;
  /** The process of a host has ended while this session lived in it. */
  readonly onLost: (session: LiveSession, verdict: ExitVerdict) => void;
  readonly onFenced: (session: LiveSession) => void;
  readonly onExit: (session: LiveSession, exit: ChildExit) => void;
  /** Its process is gone, and it is not to live with others again. */
  readonly onMoved: (session: LiveSession) => void;
  readonly onHeard: (session: LiveSession, counters: { readonly stanzas: number; readonly events: number }) => void;
  /** A process has ended unplanned, or one has become ready. */
  readonly onDeath: () => void;
  readonly onReady: () => void;
  /** A new process is there after one that ended unplanned. */
  readonly onRestarted: (session: LiveSession, verdict: ExitVerdict, restarts: number) => void;
}

const retryFirstMs = 500;
const retryMaxMs = 15_000;

export class ChildHost {
  readonly id: string;
  readonly isSandbox: boolean;
  readonly child: ManagedChild;
  readonly sessions = new Map<SessionId, LiveSession>();
  readonly #environment: HostEnvironment;
  /** The sessions that this process was given, with their epochs; they may write until it ends, also while they leave. */
  readonly #epochs = new Map<SessionId, number>();
  readonly #starts = new Map<SessionId, AbortController>();
  /** Ends logouts that a child which hangs will not answer. */
  readonly #logouts = new Set<AbortController>();
  #isGreeted = false;
  /** Who had requests under way when the child fell silent: later their time is over. */
  #suspects: readonly Suspect[] | null = null;
  /** Sessions that have lost their process unplanned, until the next one is there. */
  readonly #bereft = new Map<SessionId, ExitVerdict>();

  constructor(id: string, isSandbox: boolean, environment: HostEnvironment) {
    this.id = id;
    this.isSandbox = isSandbox;
    this.#environment = environment;
    this.child = new ManagedChild(environment, {
      handlers: serveChild({
        store: environment.store,
        epochOf: (session) => this.#epochs.get(session),
        onFenced: (session) => this.#fenced(session),
        log: environment.log,
      }),
      caps: () => {
        const { memoryCapMb, sessionsPerChild } = environment.settings;
        return memoryCaps(
          memoryCapMb,
          this.isIsolated ? 1 : sessionsPerChild,
          [...this.sessions.values()].map((session) => session.memoryCapMb),
        );
      },
      onHello: () => {
        this.#isGreeted = true;
        this.#tellRestarts();
        for (const session of this.sessions.values()) this.#start(session);
      },
      onLink: (snapshot) => {
        const session = this.sessions.get(snapshot.session);
        if (session !== undefined) environment.onLink(session, snapshot);
      },
      onHeartbeat: ({ sessions }) => {
        for (const session of this.sessions.values()) {
          const counters = sessions[session.id];
          if (counters !== undefined) environment.onHeard(session, counters);
        }
      },
      onReady: () => environment.onReady(),
      onGone: (report) => this.#gone(report),
      onState: () => {
        for (const session of this.sessions.values()) session.changed();
        this.#noteSilence();
        if (this.child.silentMs !== null) for (const logout of this.#logouts) logout.abort(hangs());
      },
    });
  }

  /** Whether its session is to stay alone. */
  get isIsolated(): boolean {
    return [...this.sessions.values()].some((session) => session.wantsOwnChild);
  }

  /** Whether another session may be put into it. */
  get isOpen(): boolean {
    const { tag } = this.child.state.life;
    return tag === 'starting' || tag === 'running';
  }

  /** Takes a session in; its child is started if need be. */
  add(session: LiveSession): void {
    session.host = this;
    session.isLeaving = false;
    this.sessions.set(session.id, session);
    if (this.#isGreeted && hasProcess(this.child.state.life)) this.#start(session);
    else this.child.start();
    session.changed();
  }

  /**
   * Takes a session out, and resolves when its link is closed. The last one takes the child with it. A child that does
   * not let go of one of several sessions is killed; the others come back by themselves.
   */
  async remove(session: LiveSession): Promise<void> {
    session.isLeaving = true;
    const hasOthers = [...this.sessions.values()].some((other) => !other.isLeaving);
    if (hasOthers) await this.#endLink(session);
    else {
      this.#starts.get(session.id)?.abort();
      const isHung = this.child.silentMs !== null;
      this.child.stop();
      if (isHung) this.child.doom('stop_timeout');
      await this.child.gone();
    }
    this.sessions.delete(session.id);
    if (session.host === this) {
      session.lastChild = { ...this.view(), pid: null, state: 'stopped', memoryBytes: null };
      session.host = null;
    }
  }

  /** Ends the link of a session and begins a new one; a child of one session is restarted as a whole. */
  async restart(session: LiveSession): Promise<void> {
    const { life } = this.child.state;
    if (this.sessions.size === 1 || life.tag !== 'running' || this.child.silentMs !== null) {
      this.child.restart();
      return;
    }
    session.isLeaving = true;
    await this.#endLink(session);
    session.isLeaving = false;
    if (this.#isGreeted && hasProcess(this.child.state.life)) this.#start(session);
  }

  /** Unlinks the session from its phone; throws when WhatsApp does not confirm. */
  async logOut(session: LiveSession, deadlineMs: number): Promise<void> {
    const { channel } = this.child;
    if (channel === null) throw new WardenError('session_restarted');
    if (this.child.silentMs !== null) throw hangs();
    const logout = new AbortController();
    this.#logouts.add(logout);
    const { signal } = logout;
    try {
      await channel.request(
        'stop_session',
        { session: session.id, logout: true },
        { deadlineMs, urgent: true, signal },
      );
    } finally {
      this.#logouts.delete(logout);
    }
  }

  view(): ChildView {
    const { state, pid, memoryBytes, capBytes, memoryWarning, lastExitAt } = this.child;
    const { lastExit } = state;
    return {
      pid,
      state: state.life.tag,
      memoryBytes,
      capBytes,
      memoryWarning,
      sessions: this.sessions.size,
      restarts: state.restarts,
      lastExit:
        lastExit === null || lastExitAt === null
          ? null
          : { cause: lastExit.cause, at: lastExitAt, detail: lastExit.detail },
    };
  }

  async #endLink(session: LiveSession): Promise<void> {
    this.#starts.get(session.id)?.abort();
    const { channel } = this.child;
    const deadlineMs = this.#environment.settings.stopTimeoutMs;
    if (channel === null || !this.#epochs.has(session.id)) return;
    try {
      await channel.request('stop_session', { session: session.id, logout: false }, { deadlineMs, urgent: true });
    } catch (error) {
      // A child that does not know the session has no link of it. Otherwise, whatever went wrong: the link must be
      // closed when this resolves, and the end of the process closes it.
      if (!isUnknownThere(error)) {
        if (this.child.state.life.tag !== 'stopping') this.child.doom('watchdog');
        await this.child.gone();
      }
    }
    this.#epochs.delete(session.id);
  }

  #start(session: LiveSession): void {
    const { channel } = this.child;
    if (channel === null) return;
    this.#starts.get(session.id)?.abort();
    const start = new AbortController();
    this.#starts.set(session.id, start);
    // Never rejects: what goes wrong becomes the session's trouble and is tried again.
    void this.#startUntilAccepted(session, channel, start.signal).finally(() => {
      if (this.#starts.get(session.id) === start) this.#starts.delete(session.id);
    });
  }

  async #startUntilAccepted(session: LiveSession, channel: ChildChannel, signal: AbortSignal): Promise<void> {
    const { random, log } = this.#environment;
    let delayMs = retryFirstMs;
    while (!signal.aborted) {
      try {
        await this.#startOnce(session, channel, signal);
        return;
      } catch (thrown) {
        if (signal.aborted || channel.isClosed) return;
        const error = toWardenError(thrown);
        log.warn({ err: error, session: session.id, retry_in_ms: delayMs }, 'session could not be started');
        session.trouble = `The session could not be started: ${error.message}`;
        session.changed();
      }
      await sleep(delayMs * (0.75 + random() / 2), signal);
      delayMs = Math.min(retryMaxMs, delayMs * 2);
    }
  }

  async #startOnce(session: LiveSession, channel: ChildChannel, signal: AbortSignal): Promise<void> {
    const { settings, linkGate } = this.#environment;
    const body = await loadStart(this.#environment, session).catch((error: unknown) => {
      // The child is fine; what it is to be given is not there. It waits, and is not killed for that.
      this.child.ready();
      throw error;
    });
    if (signal.aborted) return;
    if (!this.isSandbox && !(await linkGate.pass(signal))) return;
    if (this.#epochs.has(session.id)) {
      await channel
        .request('stop_session', { session: session.id, logout: false }, { urgent: true, signal })
        .catch(() => null);
    }
    session.epoch = body.epoch;
    session.wasUnderWay = false;
    this.#epochs.set(session.id, body.epoch);
    await channel.request('start_session', body, { deadlineMs: settings.readyTimeoutMs, urgent: true, signal });
    session.trouble = null;
    session.changed();
    this.child.ready();
  }

  #noteSilence(): void {
    if (this.child.silentMs !== null) this.#suspects ??= this.#suspectsNow();
    else if (this.child.state.life.tag === 'running') this.#suspects = null;
  }

  #suspectsNow(): readonly Suspect[] {
    return [...this.sessions.values()].filter(({ isLeaving }) => !isLeaving).map(({ suspect }) => suspect);
  }

  /** Writes down what became of each session, and takes the one out that keeps bringing the others down. */
  #record(report: ExitReport): void {
    const { clock, onExit, onMoved } = this.#environment;
    const { verdict } = report;
    const accusation = accuse(verdict.cause, this.#suspects ?? this.#suspectsNow());
    this.#suspects = null;
    if (verdict.cause === 'stopped') return;
    const { state, retryInMs } = this.child;
    for (const session of this.sessions.values()) {
      if (session.isLeaving) continue;
      const isMoved = this.#isToBeMoved(session, accusation, clock.monotonic());
      onExit(session, exitOfSession(report, { life: state.life, delayMs: retryInMs, accusation, isMoved }));
      if (!isMoved) continue;
      this.sessions.delete(session.id);
      this.#bereft.delete(session.id);
      session.wasMoved = true;
      session.host = null;
      onMoved(session);
    }
  }

  /** Named beside more than half of its neighbours it is not named at all. */
  #isToBeMoved(session: LiveSession, accusation: Accusation | null, now: number): boolean {
    const named = accusation?.sessions ?? [];
    if (!named.includes(session.id) || this.sessions.size < 2 || named.length * 2 > this.sessions.size + 1)
      return false;
    const { troubles, isRepeated } = addTrouble(session.troubles, now);
    session.troubles = troubles;
    return isRepeated && session.isolated !== false;
  }

  #gone(report: ExitReport): void {
    const { verdict } = report;
    this.#isGreeted = false;
    this.#epochs.clear();
    for (const start of this.#starts.values()) start.abort();
    this.#starts.clear();
    const isUnplanned = verdict.kind === 'crash' || verdict.kind === 'recycled';
    for (const session of this.sessions.values()) {
      if (isUnplanned && !session.isLeaving) this.#bereft.set(session.id, verdict);
      this.#environment.onLost(session, verdict);
    }
    if (verdict.kind === 'crash') this.#environment.onDeath();
    this.#record(report);
  }

  #tellRestarts(): void {
    for (const [id, verdict] of this.#bereft) {
      const session = this.sessions.get(id);
      if (session !== undefined) this.#environment.onRestarted(session, verdict, this.child.state.restarts);
    }
    this.#bereft.clear();
  }

  #fenced(id: SessionId): void {
    const session = this.sessions.get(id);
    // Only a current epoch can have been taken by somebody else; an older one was taken by ourselves.
    if (session !== undefined && session.epoch === this.#epochs.get(id)) this.#environment.onFenced(session);
  }
}

const hangs = (): WardenError =>
  new WardenError('session_busy', { message: "The session's process does not answer; restart the session." });

const isUnknownThere = (error: unknown): boolean =>
  error instanceof WardenError && error.code === 'session_not_connected';
