/**
 * Pure. How fast a session may write, and to how many people who do not know it. WhatsApp publishes no limits and punishes
 * accounts that behave like machines; what it says clearly are two refusals: 463 (this account may begin no new chats
 * right now) and 429 (too fast).
 */
import type { Backoff, PacingOverrides, Strike } from '../contract/pacing.ts';

export interface PacingLimits {
  readonly isEnabled: boolean;
  readonly messagesPerSecond: number;
  readonly burst: number;
  /** In any 24 hours; 0 for any number. */
  readonly newChatsPerDay: number;
  readonly warmUpDays: number;
  /** On the first day. */
  readonly warmUpNewChats: number;
}

/** How long the first refusal of a row holds back, and the most that repetition makes of it. */
export interface BackoffLimits {
  readonly baseMs: number;
  readonly maxMs: number;
}

export interface PacingSettings {
  readonly limits: PacingLimits;
  readonly newChats: BackoffLimits;
  readonly slowDown: BackoffLimits;
}

export const dayMs = 24 * 3_600_000;
/** WhatsApp's codes of refused messages. */
export const newChatRefusal = '463';
export const rateRefusal = '429';
const maxSlowFactor = 16;

export function limitsOf(defaults: PacingLimits, overrides: PacingOverrides | null): PacingLimits {
  if (overrides === null) return defaults;
  return {
    isEnabled: overrides.enabled ?? defaults.isEnabled,
    messagesPerSecond: overrides.messages_per_second ?? defaults.messagesPerSecond,
    burst: overrides.burst ?? defaults.burst,
    newChatsPerDay: overrides.new_chats_per_day ?? defaults.newChatsPerDay,
    warmUpDays: overrides.warm_up_days ?? defaults.warmUpDays,
    warmUpNewChats: overrides.warm_up_new_chats ?? defaults.warmUpNewChats,
  };
}

/** Tokens at an instant of the monotonic clock; below zero they are promised to those who wait. */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

export interface Pace {
  readonly perSecond: number;
  readonly burst: number;
}

/** The pace right now: after 429 half as fast, a quarter after the next, and without a burst. */
export function paceOf(limits: PacingLimits, { slowDown }: Backoff, now: number): Pace {
  const { messagesPerSecond, burst } = limits;
  if (slowDown === null || slowDown.until <= now) return { perSecond: messagesPerSecond, burst };
  return { perSecond: messagesPerSecond / Math.min(2 ** slowDown.count, maxSlowFactor), burst: 1 };
}

export function refill(bucket: Bucket, pace: Pace, at: number): Bucket {
  const gained = ((at - bucket.at) / 1000) * pace.perSecond;
  return { tokens: Math.min(pace.burst, bucket.tokens + Math.max(0, gained)), at };
}

/** Milliseconds until a refilled bucket has `wanted` tokens. */
export function waitMs(bucket: Bucket, pace: Pace, wanted: number): number {
  return Math.max(0, Math.ceil(((wanted - bucket.tokens) / pace.perSecond) * 1000));
}

/** Tokens that those who can wait leave to those who answer somebody. */
export const reserveOf = (pace: Pace): number => Math.floor(pace.burst / 2);

export interface WarmUp {
  /** From 1. */
  readonly day: number;
  readonly days: number;
}

export interface NewChatAllowance {
  /** In 24 hours; null for any number. */
  readonly perDay: number | null;
  /** Null once it is over. */
  readonly warmUp: WarmUp | null;
}

/** New chats rise in equal steps from the first day after linking to the full number. A session never linked is new. */
export function newChatAllowance(limits: PacingLimits, linkedAt: number | null, now: number): NewChatAllowance {
  const { newChatsPerDay: full, warmUpDays: days, warmUpNewChats: first } = limits;
  const passed = linkedAt === null ? 0 : Math.max(0, Math.floor((now - linkedAt) / dayMs));
  if (full === 0) return { perDay: null, warmUp: null };
  if (passed >= days || first >= full) return { perDay: full, warmUp: null };
  const perDay = Math.floor(first + ((full - first) * passed) / days);
  return { perDay, warmUp: { day: passed + 1, days } };
}

/** Why something waits, and until when (unix milliseconds). */
export interface Hold {
  readonly until: number;
  /** What waits for it: every message, or those that begin a chat. */
  readonly scope: 'all' | 'new_chats';
  readonly reason: string;
}

/** What holds a new chat back; null when it may begin. `openedAt`: new chats of the last 24 hours, oldest first. */
export function newChatHold(
  facts: { readonly backoff: Backoff; readonly allowance: NewChatAllowance; readonly openedAt: readonly number[] },
  now: number,
): Hold | null {
  const { backoff, allowance, openedAt } = facts;
  const refusal = backoff.newChats;
  if (refusal !== null && refusal.until > now) {
    const reason = `WhatsApp refused a new chat (${newChatRefusal}); new chats wait, replies go on.`;
    return { until: refusal.until, scope: 'new_chats', reason };
  }
  const { perDay, warmUp } = allowance;
  if (perDay === null) return null;
  const recent = openedAt.filter((at) => at > now - dayMs);
  if (recent.length < perDay) return null;
  const freed = recent[recent.length - perDay] ?? now;
  const why =
    warmUp === null
      ? ''
      : `; the session is new (day ${warmUp.day} of ${warmUp.days} of its warm-up) and may begin more each day`;
  const reason = `The session has begun ${recent.length} of ${perDay} new chats in the last 24 hours${why}.`;
  return { until: freed + dayMs, scope: 'new_chats', reason };
}

export function rateHold(until: number, backoff: Backoff, now: number): Hold {
  const isSlow = backoff.slowDown !== null && backoff.slowDown.until > now;
  const reason = isSlow
    ? `WhatsApp said that messages come too fast (${rateRefusal}); the session writes more slowly for a while.`
    : 'More messages were asked for than the session may send at once; they go out one after the other.';
  return { until, scope: 'all', reason };
}

/**
 * What a refusal makes of the last one; null changes nothing: what was under way when it began meets the same refusal.
 * One that follows within a day of the end of the last doubles the time.
 */
export function struck(last: Strike | null, { baseMs, maxMs }: BackoffLimits, now: number): Strike | null {
  if (last !== null && now < last.until) return null;
  const isRepeated = last !== null && now - last.until < dayMs;
  const count = isRepeated ? Math.min(last.count + 1, 30) : 1;
  return { count, since: now, until: now + Math.min(baseMs * 2 ** (count - 1), maxMs) };
}

/** The hold that lasts longest of several; null of none. */
export function longest(holds: readonly Hold[]): Hold | null {
  return holds.reduce<Hold | null>((last, hold) => (last === null || hold.until > last.until ? hold : last), null);
}
