/** Which sessions live in which children, and what follows when a link or a child ends. */
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import type { LinkSnapshot, LinkTarget } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { SessionRow, Store } from '../store/store.ts';
import { ChildHost, type HostEnvironment } from './child-host.ts';
import type { ExitVerdict } from './exit-cause.ts';
import type { LiveSession } from './live-session.ts';
import { OrphanRecords } from './orphans.ts';
import { placeSession } from './placement.ts';
import { hasProcess } from './process-machine.ts';
import type { SupervisorSettings } from './settings.ts';
import { findWrappers, type Wrappers } from './spawn.ts';
import { LinkGate, StartGate } from './start-gate.ts';
import { isOver } from './status.ts';

export interface HostingOptions {
  readonly store: Store;
  readonly childEntry?: string;
  readonly settings: SupervisorSettings;
  readonly storagePath: string;
  readonly resolveTarget: (row: SessionRow) => Promise<LinkTarget>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** Ends when the supervisor stops. */
  readonly signal: AbortSignal;
  readonly onConnected: (session: LiveSession) => void;
}

const builtEntry = fileURLToPath(new URL('../child/main.js', import.meta.url));
const orphanDeadlineMs = 5000;
const fencedTrouble =
  'Another gateway has taken the session over; make sure that only one uses this database, then call connect.';

export class Hosting {
  readonly #options: HostingOptions;
  readonly #environment: HostEnvironment;
  readonly #orphans: OrphanRecords;
  readonly #hosts = new Map<string, ChildHost>();
  #wrappers: Wrappers = { setpriv: null, prlimit: null };
  #nextHost = 1;

  constructor(options: HostingOptions) {
    this.#options = options;
    const { settings, clock, random, storagePath, childEntry = builtEntry } = options;
    this.#orphans = new OrphanRecords(storagePath);
    this.#environment = {
      ...options,
      childEntry,
      gate: new StartGate(settings.startConcurrency),
      linkGate: new LinkGate({
        ratePerSecond: settings.connectRatePerSecond,
        burst: settings.connectBurst,
        clock,
        random,
      }),
      wrappers: () => this.#wrappers,
      orphans: this.#orphans,
      onLink: (session, snapshot) => this.#linkChanged(session, snapshot),
      onLost: (session, verdict) => this.#lost(session, verdict),
      onFenced: (session) => this.#fenced(session),
    };
  }

  /** Finds out what this machine offers, and kills what a former supervisor left behind. */
  async prepare(): Promise<void> {
    const { log } = this.#options;
    this.#wrappers = await findWrappers();
    if (this.#wrappers.setpriv === null || this.#wrappers.prlimit === null) {
      log.warn({ ...this.#wrappers }, 'setpriv or prlimit is missing, children are guarded less well');
    }
    const swept = await this.#orphans.sweep(orphanDeadlineMs);
    if (swept > 0) log.warn({ children: swept }, 'children of a former gateway were killed');
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
    const hosts = [...this.#hosts.values()];
    for (const host of hosts) host.child.stop();
    const kill = setTimeout(() => {
      for (const host of hosts) if (hasProcess(host.child.state.life)) host.child.doom('stop_timeout');
    }, budgetMs);
    await Promise.all(hosts.map((host) => host.child.gone()));
    clearTimeout(kill);
  }

  #place(session: LiveSession): void {
    const places = [...this.#hosts.values()].map((host) => ({
      child: host.id,
      isSandbox: host.isSandbox,
      sessions: host.sessions.size,
      isOpen: host.isOpen,
    }));
    const chosen = placeSession(session.isSandbox, places, this.#options.settings.sessionsPerChild);
    const host = (chosen === null ? undefined : this.#hosts.get(chosen)) ?? this.#newHost(session.isSandbox);
    session.wasUnderWay = false;
    session.setLink('connecting', 'The session is starting.');
    host.add(session);
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
    if (isOfUse(snapshot)) session.host?.child.useful();
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
