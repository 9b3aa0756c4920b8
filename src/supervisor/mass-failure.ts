/**
 * Whether so many children die at once that starting them again can only make it worse. Pure. Times are monotonic
 * milliseconds.
 *
 * closed: all is well, starts go on. paused: nothing is started until the pause is over. probing: one child is started;
 * when it becomes ready the starts go on, when a child dies instead the pause doubles.
 */
import type { MassFailurePolicy } from './settings.ts';

export interface MassFailure {
  readonly tag: 'closed' | 'paused' | 'probing';
  /** Times of deaths within the window. */
  readonly deaths: readonly number[];
  /** When the pause ends; null unless paused. */
  readonly until: number | null;
  /** How long the last pause was; 0 before the first. */
  readonly lastPauseMs: number;
  readonly trippedAt: number | null;
}

export const noMassFailure: MassFailure = {
  tag: 'closed',
  deaths: [],
  until: null,
  lastPauseMs: 0,
  trippedAt: null,
};

/** A child has died unplanned, one of `children`. */
export function childDied(
  state: MassFailure,
  { children, now }: { readonly children: number; readonly now: number },
  policy: MassFailurePolicy,
): MassFailure {
  const deaths = [...state.deaths.filter((at) => now - at < policy.windowMs), now];
  if (state.tag === 'paused') return { ...state, deaths };
  const most = Math.max(policy.count, (children * policy.percent) / 100);
  const isProbeLost = state.tag === 'probing';
  if (!isProbeLost && deaths.length <= most) return { ...state, deaths };
  // A calm as long as the longest pause lets the pauses begin anew.
  const isRecent = state.trippedAt !== null && now - state.trippedAt < 2 * policy.maxPauseMs;
  const pauseMs = isRecent ? Math.min(policy.maxPauseMs, state.lastPauseMs * 2) : policy.pauseMs;
  return { tag: 'paused', deaths: [], until: now + pauseMs, lastPauseMs: pauseMs, trippedAt: now };
}

/** The pause is over: one child may try. */
export function pauseOver(state: MassFailure, now: number): MassFailure {
  const isOver = state.tag === 'paused' && state.until !== null && now >= state.until;
  return isOver ? { ...state, tag: 'probing', until: null, deaths: [] } : state;
}

/** A child has become ready. */
export function childReady(state: MassFailure): MassFailure {
  return state.tag === 'probing' ? { ...state, tag: 'closed', deaths: [] } : state;
}
