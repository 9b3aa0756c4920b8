/** Which sessions live in which children, and what follows when a link or a child ends. */
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { LinkSnapshot, LinkTarget } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { SessionRow, Store } from '../store/store.ts';
import type { Observer } from '../telemetry/observer.ts';
import { refusalOf, type AdmissionFacts } from './admission.ts';
import { ChildHost, type HostEnvironment } from './child-host.ts';
import { DeafWatch } from './deaf-watch.ts';
import type { ExitVerdict } from './exit-cause.ts';
import type { LiveSession } from './live-session.ts';
import { ExitRecords } from './exit-records.ts';
import { FairShares } from './fair-shares.ts';
import { machineMemory } from './machine-memory.ts';
import { memoryCaps } from './memory-policy.ts';
import { OrphanRecords } from './orphans.ts';
import { placeSession, type Place } from './placement.ts';
import { hasProcess } from './process-machine.ts';
import type { SupervisorSettings } from './settings.ts';
import { Pulse, tickMsFor } from './pulse.ts';
import { findWrappers, leanFlags, type Wrappers } from './spawn.ts';
import { StartBreaker, type BreakerView } from './start-breaker.ts';
import { LinkGate, StartGate } from './start-gate.ts';
import { isOver } from './status.ts';

export interface HostingOptions {
  readonly store: Store;
  readonly childEntry?: string;
  readonly childFlags?: readonly string[];
  /** How children are guarded; as this machine offers when absent. */
  readonly wrappers?: Wrappers;
  readonly settings: SupervisorSettings;
  readonly storagePath: string;
  readonly resolveTarget: (row: SessionRow) => Promise<LinkTarget>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer?: Pick<Observer, 'childEnded' | 'ipcRefused'>;
  readonly random: () => number;
  /** Ends when the supervisor stops. */
  readonly signal: AbortSignal;
  readonly onConnected: (session: LiveSession) => void;
  /** Starts are held back from now on, or go on. */
  readonly onBreaker: () => void;
  /** A new process is there after one that ended unplanned. */
  readonly onRestarted: (session: LiveSession, verdict: ExitVerdict, restarts: number) => void;
}

const builtEntry = fileURLToPath(new URL('../../lean/child.cjs', import.meta.url));
const deafReason = 'The connection looked well but delivered nothing and did not answer; it is being replaced.';
const orphanDeadlineMs = 5000;
const fencedTrouble =
  'Another gateway has taken the session over; make sure that only one uses this database, then call connect.';

export class Hosting {
  readonly shares: FairShares;
  readonly #options: HostingOptions;
  readonly #environment: HostEnvironment;
  readonly #orphans: OrphanRecords;
  readonly #hosts = new Map<string, ChildHost>();
  readonly #gate: StartGate;
  readonly #linkGate: LinkGate;
  readonly #breaker: StartBreaker;
  readonly #deafWatch: DeafWatch;
  readonly #records: ExitRecords;
  #wrappers: Wrappers = { setpriv: null, prlimit: null };
  #nextHost = 1;

  constructor(options: HostingOptions) {
    this.#options = options;
    const { settings, clock, random, storagePath, log, childEntry = builtEntry, childFlags = leanFlags } = options;
    this.shares = new FairShares(clock);
    this.#orphans = new OrphanRecords(storagePath);
    this.#gate = new StartGate(settings.startConcurrency);
    this.#linkGate = new LinkGate({
      ratePerSecond: settings.connectRatePerSecond,
      burst: settings.connectBurst,
      clock,
      random,
    });
    this.#breaker = new StartBreaker({
      gate: this.#gate,
      policy: settings.massFailure,
      clock,
      log,
      onChange: options.onBreaker,
    });
    this.#deafWatch = new DeafWatch({
      policy: settings.deaf,
      queryTimeoutMs: settings.limits.queryTimeoutMs,
      clock,
      onDeaf: (session) => this.#deaf(session),
    });
    this.#records = new ExitRecords(options);
    this.#environment = {
      ...options,
      childEntry,
      childFlags,
      gate: this.#gate,
      pulse: new Pulse(tickMsFor(settings.heartbeatSuspectMs)),
      linkGate: this.#linkGate,
      wrappers: () => this.#wrappers,
      orphans: this.#orphans,
      onLink: (session, snapshot) => this.#linkChanged(session, snapshot),
      onLost: (session, verdict) => this.#lost(session, verdict),
      onFenced: (session) => this.#fenced(session),
      onExit: (session, exit) => this.#records.add(session, exit),
      onMoved: (session) => this.#moved(session),
      onHeard: (session, counters) => this.#deafWatch.heard(session, counters),
      onDeath: () => this.#breaker.died(this.#hosts.size),
      onReady: () => this.#breaker.ready(),
    };
  }

  /** Finds out what this machine offers, and kills what a former supervisor left behind. */
  async prepare(): Promise<void> {
    const { log } = this.#options;
    this.#wrappers = this.#options.wrappers ?? (await findWrappers());
    if (this.#wrappers.setpriv === null || this.#wrappers.prlimit === null) {
      log.warn({ ...this.#wrappers }, 'setpriv or prlimit is missing, children are guarded less well');
    }
    const swept = await this.#orphans.sweep(orphanDeadlineMs);
    if (swept > 0) log.warn({ children: swept }, 'children of a former gateway were killed');
  }

  get hosts(): readonly ChildHost[] {
    return [...this.#hosts.values()];
  }

  get breaker(): BreakerView {
    return this.#breaker.view;
  }

  /** Milliseconds for which starts are held back; null when they go on. */
  get startsPausedMs(): number | null {
    return this.#breaker.pausedMs;
  }

  get gates(): { readonly starting: number; readonly waitingToStart: number; readonly waitingToConnect: number } {
    const { starting, waiting } = this.#gate.load;
    return { starting, waitingToStart: waiting, waitingToConnect: this.#linkGate.waiting };
  }

  get admission(): AdmissionFacts {
    const capsBytes = this.hosts.reduce((sum, { child }) => sum + child.capBytes, 0);
    return { limitBytes: machineMemory().limitBytes, capsBytes };
  }

  /** Throws `capacity_exhausted` when another session with these wishes would not fit. */
  assertCapacity(wishes: {
    readonly isSandbox: boolean;
    readonly isIsolated: boolean;
    readonly memoryCapMb: number | null;
  }): void {
    const { memoryCapMb, sessionsPerChild, admission } = this.#options.settings;
    const facts = this.admission;
    const hasPlace = placeSession(wishes, this.#places(), sessionsPerChild) !== null;
    const caps = memoryCaps(memoryCapMb, wishes.isIsolated ? 1 : sessionsPerChild, [wishes.memoryCapMb]);
    const refusal = hasPlace ? null : refusalOf(caps.capBytes, facts, admission);
    if (refusal !== null) throw new WardenError('capacity_exhausted', { message: refusal });
  }

  /** Makes what people have changed about a running session true: its cap at once, its place when it has to move. */
  async reconsider(session: LiveSession): Promise<void> {
    const { host } = session;
    if (host === null) return;
    const mustMove = session.wantsOwnChild && host.sessions.size > 1;
    if (!mustMove) {
      host.child.reviseCaps();
      return;
    }
    await this.release(session);
    this.#place(session);
  }

  /** Starts a session that does not run, and begins anew with a link that waits or has ended. */
  async begin(session: LiveSession): Promise<void> {
    const { host } = session;
    if (host !== null && host.child.state.life.tag === 'running' && hasStopped(session)) {
      await this.restart(session);
      return;
    }
    session.trouble = null;
    if (host !== null) {
      host.child.start();
      return;
    }
    this.#place(session);
  }

  async restart(session: LiveSession): Promise<void> {
    const { host } = session;
    session.trouble = null;
    if (host === null) this.#place(session);
    else {
      session.setLink('connecting', 'The session is restarting.');
      await host.restart(session);
    }
  }

  /** Takes a session out of its child; resolves when its link is closed. */
  async release(session: LiveSession): Promise<void> {
    const { host } = session;
    if (host === null) return;
    await host.remove(session);
    if (host.sessions.size === 0) this.#hosts.delete(host.id);
    session.changed();
  }

  async stop(budgetMs: number): Promise<void> {
    this.#breaker.dispose();
    const hosts = [...this.#hosts.values()];
    for (const host of hosts) host.child.stop();
    const kill = setTimeout(() => {
      for (const host of hosts) if (hasProcess(host.child.state.life)) host.child.doom('stop_timeout');
    }, budgetMs);
    await Promise.all(hosts.map((host) => host.child.gone()));
    clearTimeout(kill);
  }

  #place(session: LiveSession): void {
    const newcomer = { isSandbox: session.isSandbox, isIsolated: session.wantsOwnChild };
    const chosen = placeSession(newcomer, this.#places(), this.#options.settings.sessionsPerChild);
    const host = (chosen === null ? undefined : this.#hosts.get(chosen)) ?? this.#newHost(session.isSandbox);
    session.wasUnderWay = false;
    session.setLink('connecting', 'The session is starting.');
    host.add(session);
  }

  #places(): readonly Place[] {
    return [...this.#hosts.values()].map((host) => ({
      child: host.id,
      isSandbox: host.isSandbox,
      sessions: host.sessions.size,
      isOpen: host.isOpen,
      isIsolated: host.isIsolated,
    }));
  }

  #newHost(isSandbox: boolean): ChildHost {
    const host = new ChildHost(`child-${this.#nextHost++}`, isSandbox, this.#environment);
    this.#hosts.set(host.id, host);
    return host;
  }

  #linkChanged(session: LiveSession, snapshot: LinkSnapshot): void {
    // A child that closes a link which had ended before says idle; that tells nothing new.
    if (snapshot.state === 'idle' && isOver(session.link)) return;
    const wasConnected = session.isConnected;
    session.keepLink(snapshot);
    if (session.isLeaving || this.#options.signal.aborted) return;
    if (snapshot.state !== 'idle') session.wasUnderWay = true;
    if (isOfUse(snapshot)) {
      session.host?.child.useful();
      this.#records.cameBack(session);
    }
    if (snapshot.state === 'connected' && !wasConnected) session.listenAnew();
    if (snapshot.state === 'connected' && !wasConnected) this.#options.onConnected(session);
    const life = session.host?.child.state.life.tag;
    const hasEnded = isOver(snapshot) || (snapshot.state === 'idle' && session.wasUnderWay && life === 'running');
    if (hasEnded) this.#free(session);
  }

  /** A link that waits for a person needs no process; what people want stays as it is. */
  #free(session: LiveSession): void {
    const { host } = session;
    this.#queue(session, async () => {
      const hasStartedAnew = session.host !== host || isUnderWay(session.link);
      if (!hasStartedAnew) await this.release(session);
    });
  }

  #lost(session: LiveSession, verdict: ExitVerdict): void {
    const { store, clock, log, signal } = this.#options;
    const wasConnected = session.link.state === 'connected';
    if (isOver(session.link)) return;
    const willReconnect = !session.isLeaving && !signal.aborted && verdict.kind !== 'blocked';
    const reason = willReconnect ? `${verdict.detail} The session is being restarted.` : verdict.detail;
    session.setLink(willReconnect && session.link.state !== 'idle' ? 'reconnecting' : 'idle', reason);
    if (!wasConnected) return;
    const event = { name: 'disconnected', data: { reason, code: null, will_reconnect: willReconnect } } as const;
    store.commits.emit(session.id, event, clock.now()).catch((error: unknown) => {
      log.warn({ err: error, session: session.id }, 'the end of a connection could not be told');
    });
  }

  /** Its neighbours come back without it. */
  #moved(session: LiveSession): void {
    this.#options.log.warn({ session: session.id }, 'session gets a process of its own after repeated trouble');
    this.#queue(session, async () => {
      if (session.host === null && session.desired === 'running' && !this.#options.signal.aborted) this.#place(session);
    });
  }

  /** A child of its own is replaced; among others only the link is. */
  #deaf(session: LiveSession): void {
    const { host } = session;
    const { log, clock } = this.#options;
    log.warn({ session: session.id }, 'session is deaf, it is connected anew');
    if (host === null || (host.sessions.size === 1 && host.child.recycle('deaf'))) return;
    const { pid, capBytes } = host.child;
    this.#records.add(session, {
      at: clock.now(),
      cause: 'deaf',
      detail: deafReason,
      pid,
      code: null,
      signal: null,
      uptimeMs: 0,
      memoryCapBytes: capBytes,
      memory: [],
      growth: null,
      stderr: '',
      action: 'reconnected',
      delayMs: 0,
      culprits: null,
      movedToOwnChild: false,
    });
    this.#queue(session, async () => {
      if (session.host !== host || session.isLeaving) return;
      session.setLink('connecting', deafReason);
      await host.restart(session);
    });
  }

  /** What the session has lost it must not fight for: two sockets on one account end in its logout. */
  #fenced(session: LiveSession): void {
    if (session.isLeaving) return;
    session.isLeaving = true;
    session.trouble = fencedTrouble;
    this.#options.log.error({ session: session.id }, 'session was taken over by another gateway');
    const { host } = session;
    this.#queue(session, async () => {
      await this.release(session);
      // The child may have ended for its sake; its neighbours own their sessions still.
      if (host?.child.state.life.tag === 'blocked' && host.sessions.size > 0) host.child.start();
    });
  }

  #queue(session: LiveSession, task: () => Promise<void>): void {
    session.queue.run(task).catch((error: unknown) => {
      this.#options.log.error({ err: error, session: session.id }, 'session could not be taken out of its child');
    });
  }
}

function isUnderWay({ state }: LinkSnapshot): boolean {
  return (
    state === 'connected' || state === 'connecting' || state === 'waiting_for_qr' || state === 'waiting_for_pair_code'
  );
}

/** Whether the link is at rest; one that was only just started is not. */
function hasStopped({ link, wasUnderWay }: LiveSession): boolean {
  return !isUnderWay(link) && (link.state !== 'idle' || wasUnderWay);
}

const isOfUse = ({ state }: LinkSnapshot): boolean =>
  state === 'connected' || state === 'waiting_for_qr' || state === 'waiting_for_pair_code';
