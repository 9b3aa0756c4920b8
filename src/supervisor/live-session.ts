/** What the supervisor holds in memory of a session: its link as last told, where it is hosted, what troubles it. */
import type { SessionId } from '../contract/ids.ts';
import type { LinkSnapshot, LinkState } from '../contract/ipc.ts';
import type { AcceptedSend, SessionRow } from '../store/store.ts';
import { ChatOrder } from './chat-order.ts';
import type { ChildHost, ChildView } from './child-host.ts';
import type { Suspect } from './culprit.ts';
import { beginHearing, type Hearing } from './deafness.ts';
import { SerialQueue } from './serial-queue.ts';

interface LiveHooks {
  /** Never rejects. */
  readonly save: (snapshot: LinkSnapshot) => Promise<void>;
  readonly changed: () => void;
  readonly monotonic: () => number;
}

/** What was done a minute ago counts for a fifth. */
const workLeftAfterMinute = 0.2;
const minuteMs = 60_000;

export class LiveSession {
  readonly id: SessionId;
  readonly isSandbox: boolean;
  /** Operations on one session never overlap. */
  readonly queue = new SerialQueue();
  link: LinkSnapshot;
  memoryCapMb: number | null;
  /** Whether people want it to have a child of its own; null leaves that to us. */
  isolated: boolean | null;
  /** It brought its neighbours down more than once, and lives alone since. */
  wasMoved = false;
  /** Times (monotonic) at which it was named as a culprit. */
  troubles: readonly number[] = [];
  /** Operations of people under way in its child. */
  calls = 0;
  hearing: Hearing;
  /** A restart record says that it is away. */
  hasOpenExit = false;
  /** What people want, as last stored. */
  desired: 'running' | 'stopped';
  host: ChildHost | null = null;
  /** The epoch that this gateway took last; null before the first start. */
  epoch: number | null = null;
  /** Why it cannot run although its child could; null for no trouble. */
  trouble: string | null = null;
  /** The link was under way since its start: going idle then means that it has ended. */
  wasUnderWay = false;
  /** It is being taken out of its child, or its link has ended: what the child still tells is no news. */
  isLeaving = false;
  /** Whether the link was told by a child of this gateway; the store's word is of an earlier time. */
  isTold = false;
  /** Accepted messages may wait for the next connection. */
  hasWaitingSends = true;
  /** Messages that somebody is sending, or waits to send in their turn. */
  readonly sending = new Set<string>();
  /** Of those, the ones that waited in the store: they keep their place before what is accepted later. */
  readonly resumed = new Set<string>();
  readonly order = new ChatOrder<readonly AcceptedSend[]>();
  /** The child of the last run, once it is over. */
  lastChild: ChildView | null = null;

  readonly #hooks: LiveHooks;
  #counters = { stanzas: 0, events: 0 };
  #work = 0;
  #workedAt: number;
  #unsaved: LinkSnapshot | null = null;
  #saving: Promise<void> | null = null;

  constructor(row: SessionRow, hooks: LiveHooks) {
    this.id = row.id;
    this.isSandbox = row.sandbox;
    this.memoryCapMb = row.memoryCapMb;
    this.isolated = row.isolated;
    this.#workedAt = hooks.monotonic();
    this.hearing = beginHearing(this.#workedAt);
    this.desired = row.desired;
    this.#hooks = hooks;
    this.link = {
      session: row.id,
      ...row.link,
      code: null,
      qr: null,
      pairCode: null,
      device: row.device,
      isPaired: row.isPaired,
    };
  }

  get wantsOwnChild(): boolean {
    return this.isolated ?? this.wasMoved;
  }

  /** What its start takes. */
  get wishes(): { readonly isSandbox: boolean; readonly isIsolated: boolean; readonly memoryCapMb: number | null } {
    return { isSandbox: this.isSandbox, isIsolated: this.wantsOwnChild, memoryCapMb: this.memoryCapMb };
  }

  get suspect(): Suspect {
    return { session: this.id, inFlight: this.calls + this.sending.size, work: Math.round(this.#work) };
  }

  /** The link is a new one: what it tells is measured anew. */
  listenAnew(): void {
    this.hearing = beginHearing(this.#hooks.monotonic());
  }

  /** Counters of a heartbeat, from the beginning of its link; older work counts less and less. */
  worked(stanzas: number, events: number): void {
    const { stanzas: known, events: told } = this.#counters;
    const isNewLink = stanzas < known || events < told;
    const done = isNewLink ? stanzas + events : stanzas - known + (events - told);
    const now = this.#hooks.monotonic();
    this.#work = this.#work * workLeftAfterMinute ** ((now - this.#workedAt) / minuteMs) + done;
    this.#workedAt = now;
    this.#counters = { stanzas, events };
  }

  get isConnected(): boolean {
    return this.host !== null && this.isTold && this.link.state === 'connected';
  }

  /** Keeps a snapshot, in memory at once and in the store as soon as it can; only the latest matters. */
  keepLink(snapshot: LinkSnapshot): void {
    this.link = snapshot;
    this.isTold = true;
    this.#unsaved = snapshot;
    this.#saving ??= this.#saveAll();
    this.changed();
  }

  /** The link in another state, without what only a living link has. */
  setLink(state: LinkState, reason: string): void {
    this.keepLink({ ...this.link, state, reason, code: null, until: null, qr: null, pairCode: null });
  }

  changed(): void {
    this.#hooks.changed();
  }

  /** Resolves when the latest snapshot is saved, or its saving has failed. */
  async saved(): Promise<void> {
    while (this.#saving !== null) await this.#saving;
  }

  async #saveAll(): Promise<void> {
    while (this.#unsaved !== null) {
      const snapshot = this.#unsaved;
      this.#unsaved = null;
      await this.#hooks.save(snapshot);
    }
    this.#saving = null;
  }
}
