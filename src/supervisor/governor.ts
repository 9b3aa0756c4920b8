/**
 * Lets the messages of one session out at its pace. What has to wait no longer than somebody waits for the answer gets
 * its turn in order; the rest is held, in order per chat, until its time comes. What a refusal of WhatsApp leads to is
 * stored, so that neither a reconnection nor a restart forgets it.
 */
import type { Clock } from '../clock.ts';
import type { WardenError } from '../contract/errors.ts';
import { isLidJid, isPhoneJid, type SessionId } from '../contract/ids.ts';
import type { Backoff, PacingOverrides } from '../contract/pacing.ts';
import type { Logger } from '../log.ts';
import type { PacingStore } from '../store/pacing-store.ts';
import type { SessionRow, Store } from '../store/store.ts';
import {
  dayMs,
  limitsOf,
  longest,
  newChatAllowance,
  newChatHold,
  newChatRefusal,
  paceOf,
  rateHold,
  rateRefusal,
  refill,
  reserveOf,
  struck,
  waitMs,
  type Bucket,
  type Hold,
  type NewChatAllowance,
  type PacingLimits,
  type PacingSettings,
} from './pacing-policy.ts';
import { SerialQueue } from './serial-queue.ts';
import { sleep } from './start-gate.ts';

export interface GovernorOptions {
  readonly store: Pick<Store, 'commits'> & { readonly pacing: PacingStore };
  readonly settings: PacingSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** What was held may go out now. */
  readonly onDue: (session: SessionId) => void;
  readonly signal: AbortSignal;
}

export interface PacedSend {
  readonly id: string;
  readonly chat: string;
}

/** What people see of it without asking the store. */
export interface PacingSummary {
  readonly backoff: Backoff;
  readonly held: { readonly count: number; readonly until: number; readonly reason: string } | null;
}

export interface PacingView extends PacingSummary {
  readonly limits: PacingLimits;
  readonly overrides: PacingOverrides | null;
  readonly sentToday: number;
  readonly newChatsToday: number;
  readonly allowance: NewChatAllowance;
}

interface Held {
  /** Monotonic. */
  readonly since: number;
  readonly chat: string;
  readonly hold: Hold;
}

/** A chat that is known stays known; so many are remembered without asking the store. */
const maxRemembered = 500;
/** Instants are looked at again: long timers fire at once, and clocks are set. */
const maxTimerMs = 60_000;
const minTimerMs = 1000;
const nothing: Backoff = { newChats: null, slowDown: null };

export class Governor {
  readonly #session: SessionId;
  readonly #options: GovernorOptions;
  /** New chats are judged one after the other: each counts for the next. */
  readonly #newChats = new SerialQueue();
  readonly #known = new Set<string>();
  readonly #waiting = new Set<string>();
  readonly #held = new Map<string, Held>();
  #overrides: PacingOverrides | null = null;
  #backoff: Backoff = nothing;
  #bucket: Bucket;
  #timer: NodeJS.Timeout | undefined;

  constructor(row: SessionRow, options: GovernorOptions) {
    this.#session = row.id;
    this.#options = options;
    this.apply(row);
    const { clock } = options;
    this.#bucket = { tokens: paceOf(this.#limits, this.#backoff, clock.now()).burst, at: clock.monotonic() };
  }

  /** Takes over what the row says; of a back-off the later word counts. */
  apply({ pacing, pacingBackoff }: Pick<SessionRow, 'pacing' | 'pacingBackoff'>): void {
    this.#overrides = pacing;
    const { newChats, slowDown } = pacingBackoff ?? nothing;
    const mine = this.#backoff;
    this.#backoff = {
      newChats: (newChats?.until ?? 0) > (mine.newChats?.until ?? 0) ? newChats : mine.newChats,
      slowDown: (slowDown?.until ?? 0) > (mine.slowDown?.until ?? 0) ? slowDown : mine.slowDown,
    };
    if (!this.#limits.isEnabled && this.#held.size > 0) this.#options.onDue(this.#session);
  }

  /** What a send to this chat would meet now, without taking anything; null when it would go at once. */
  async forecast(chat: string): Promise<Hold | null> {
    if (!this.#limits.isEnabled) return null;
    const before = this.#heldBefore({ id: '', chat });
    const newChat = await this.#newChats.run(() => this.#judge(chat, false));
    const rate = this.#rateHolds(1 + this.#rateHeld());
    return longest([before, newChat].flatMap((hold) => hold ?? []).concat(rate));
  }

  /** Resolves null when the turn of a send has come; with what holds it when that takes longer than `patienceMs`. */
  async pass(send: PacedSend, patienceMs: number): Promise<Hold | null> {
    if (!this.#limits.isEnabled) return this.#go(send);
    this.#waiting.add(send.id);
    try {
      const ahead = this.#held.has(send.id) ? 0 : this.#rateHeld();
      const before = this.#heldBefore(send);
      if (before !== null) return this.#hold(send, longest([before, ...this.#rateHolds(1 + ahead)]) ?? before);
      const newChat = await this.#newChats.run(() => this.#judge(send.chat, true));
      if (newChat !== null) return this.#hold(send, newChat);
      const rateMs = this.#rateWaitMs(1 + ahead);
      const [rate] = this.#rateHolds(1 + ahead);
      if (rate !== undefined && rateMs > patienceMs) return this.#hold(send, rate);
      this.#take();
      if (rateMs > 0) await sleep(rateMs, this.#options.signal);
      return this.#go(send);
    } finally {
      this.#waiting.delete(send.id);
    }
  }

  /**
   * As `pass` for the first of a chat that waits in the store: whatever is held of that chat came later. Its session's
   * waiting messages go one after the other, so that it waits for its pace only.
   */
  async passFirst(send: PacedSend): Promise<Hold | null> {
    if (!this.#limits.isEnabled) return this.#go(send);
    this.#waiting.add(send.id);
    try {
      const newChat = await this.#newChats.run(() => this.#judge(send.chat, true));
      if (newChat !== null) return this.#hold(send, newChat);
      const rateMs = this.#rateWaitMs(1);
      this.#take();
      if (rateMs > 0) await sleep(rateMs, this.#options.signal);
      return this.#go(send);
    } finally {
      this.#waiting.delete(send.id);
    }
  }

  /** As `pass` for what can wait: takes only what is left beside a reserve for those who answer somebody. */
  async passSpare(chat: string): Promise<Hold | null> {
    if (!this.#limits.isEnabled) return null;
    const reserve = reserveOf(paceOf(this.#limits, this.#backoff, this.#options.clock.now()));
    const [rate] = this.#rateHolds(1 + reserve + this.#rateHeld());
    if (rate !== undefined) return rate;
    const newChat = await this.#newChats.run(() => this.#judge(chat, true));
    if (newChat === null) this.#take();
    return newChat;
  }

  /** Of these chats, those that no limit on new chats concerns. */
  async listFree(chats: readonly string[]): Promise<ReadonlySet<string>> {
    if (!this.#limits.isEnabled) return new Set(chats);
    const people = chats.filter((chat) => isPerson(chat) && !this.#known.has(chat));
    const known = await this.#options.store.pacing.knownChats(this.#session, people);
    const isFree = (chat: string) => !isPerson(chat) || this.#known.has(chat) || known.has(chat);
    return new Set(chats.filter(isFree));
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  holdOf(id: string): Hold | null {
    return this.#held.get(id)?.hold ?? null;
  }

  /** Forgets what it held before `listedAt` (monotonic) and what is not among the messages that waited then. */
  retain(waiting: readonly { readonly id: string }[], listedAt: number): void {
    const ids = new Set(waiting.map(({ id }) => id));
    for (const [id, { since }] of this.#held) if (since < listedAt && !ids.has(id)) this.#held.delete(id);
  }

  /** A send is over, however. */
  settled(id: string): void {
    this.#held.delete(id);
  }

  /** A send has failed for good: a chat that it was to begin has not begun, and some refusals hold others back. */
  async failed({ chat }: PacedSend, error: WardenError): Promise<void> {
    const { store, settings } = this.#options;
    if (error.code !== 'whatsapp_refused' && error.code !== 'recipient_not_on_whatsapp') return;
    if (isPerson(chat)) {
      this.#known.delete(chat);
      await store.pacing.closeChat(this.#session, chat);
    }
    const code = error.details?.find(({ field }) => field === 'whatsapp_code')?.received;
    if (code === newChatRefusal) await this.#strike('newChats', settings.newChats, code);
    if (code === rateRefusal) await this.#strike('slowDown', settings.slowDown, code);
  }

  summary(): PacingSummary {
    const now = this.#options.clock.now();
    const { newChats, slowDown } = this.#backoff;
    const first = [...this.#held.values()].toSorted((a, b) => a.hold.until - b.hold.until)[0];
    return {
      backoff: {
        newChats: newChats !== null && newChats.until > now ? newChats : null,
        slowDown: slowDown !== null && slowDown.until > now ? slowDown : null,
      },
      held: first === undefined ? null : { count: this.#held.size, until: first.hold.until, reason: first.hold.reason },
    };
  }

  async view(): Promise<PacingView> {
    const { store, clock } = this.#options;
    const since = clock.now() - dayMs;
    const { linkedAt, openedAt } = await store.pacing.standing(this.#session, since);
    return {
      ...this.summary(),
      limits: this.#limits,
      overrides: this.#overrides,
      sentToday: await store.pacing.countSent(this.#session, since),
      newChatsToday: openedAt.length,
      allowance: newChatAllowance(this.#limits, linkedAt, clock.now()),
    };
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  get #limits(): PacingLimits {
    return limitsOf(this.#options.settings.limits, this.#overrides);
  }

  /** What holds a new chat back; with `begins` a chat that nothing holds has begun with that. */
  async #judge(chat: string, begins: boolean): Promise<Hold | null> {
    if (!isPerson(chat) || this.#known.has(chat)) return null;
    const { store, clock } = this.#options;
    const now = clock.now();
    if (!(await store.pacing.knownChats(this.#session, [chat])).has(chat)) {
      const { linkedAt, openedAt } = await store.pacing.standing(this.#session, now - dayMs);
      const allowance = newChatAllowance(this.#limits, linkedAt, now);
      const hold = newChatHold({ backoff: this.#backoff, allowance, openedAt }, now);
      if (hold !== null || !begins) return hold;
      await store.pacing.openChat(this.#session, chat, now);
    }
    if (this.#known.size >= maxRemembered) this.#known.clear();
    this.#known.add(chat);
    return null;
  }

  /** What the pace holds back for: one hold, or none. */
  #rateHolds(wanted: number): readonly Hold[] {
    const waitsMs = this.#rateWaitMs(wanted);
    const now = this.#options.clock.now();
    return waitsMs === 0 ? [] : [rateHold(now + waitsMs, this.#backoff, now)];
  }

  #rateWaitMs(wanted: number): number {
    const { clock } = this.#options;
    const pace = paceOf(this.#limits, this.#backoff, clock.now());
    this.#bucket = refill(this.#bucket, pace, clock.monotonic());
    return waitMs(this.#bucket, pace, wanted);
  }

  #take(): void {
    this.#bucket = { ...this.#bucket, tokens: this.#bucket.tokens - 1 };
  }

  #rateHeld(): number {
    let count = 0;
    for (const { hold } of this.#held.values()) if (hold.scope === 'all') count++;
    return count;
  }

  /** The hold of an earlier message of the same chat, which must not be overtaken. */
  #heldBefore({ id, chat }: PacedSend): Hold | null {
    for (const [heldId, held] of this.#held) {
      if (heldId === id) return null;
      if (held.chat === chat) return held.hold;
    }
    return null;
  }

  #hold(send: PacedSend, hold: Hold): Hold {
    const since = this.#held.get(send.id)?.since ?? this.#options.clock.monotonic();
    this.#held.set(send.id, { since, chat: send.chat, hold });
    this.#arm(0);
    return hold;
  }

  #go(send: PacedSend): null {
    this.#held.delete(send.id);
    return null;
  }

  #arm(leastMs: number): void {
    const { clock, signal, onDue } = this.#options;
    clearTimeout(this.#timer);
    if (this.#held.size === 0 || signal.aborted) return;
    const due = Math.min(...[...this.#held.values()].map(({ hold }) => hold.until));
    const delayMs = Math.min(Math.max(due - clock.now(), leastMs), maxTimerMs);
    this.#timer = setTimeout(() => {
      if (due <= clock.now()) onDue(this.#session);
      this.#arm(minTimerMs);
    }, delayMs);
  }

  async #strike(kind: keyof Backoff, limits: PacingSettings['newChats'], code: string): Promise<void> {
    const { store, clock, log } = this.#options;
    const now = clock.now();
    const strike = struck(this.#backoff[kind], limits, now);
    if (strike === null) return;
    this.#backoff = { ...this.#backoff, [kind]: strike };
    log.warn(
      { session: this.#session, kind, code, count: strike.count, until: strike.until },
      'whatsapp refused a send',
    );
    await store.pacing.saveBackoff(this.#session, this.#backoff);
    const until = Math.ceil(strike.until / 1000);
    const event =
      kind === 'newChats'
        ? { kind: 'new_chats' as const, reason: 'WhatsApp refused a new chat; new chats wait, replies go on.' }
        : { kind: 'slow_down' as const, reason: 'WhatsApp said that messages come too fast; the session slows down.' };
    await store.commits.emit(
      this.#session,
      { name: 'session_pacing', data: { ...event, code, until, count: strike.count } },
      now,
    );
  }
}

const isPerson = (chat: string): boolean => isPhoneJid(chat) || isLidJid(chat);
