/** Pure. What a bulk does next. Times are unix milliseconds. */
import type { SessionStatus } from '../contract/operations/sessions.ts';

export interface BulkFacts {
  readonly startAt: number;
  /** When the next message may follow the last one. */
  readonly dueAt: number;
  /** Until when its media can be sent; null without. */
  readonly mediaUntil: number | null;
  readonly hasQueued: boolean;
  readonly session: { readonly status: SessionStatus; readonly reason: string };
}

export type BulkStep =
  | { readonly tag: 'send' }
  /** All were begun: only what WhatsApp answers is awaited. */
  | { readonly tag: 'settle' }
  /** A person has to do something first. */
  | { readonly tag: 'pause'; readonly reason: string }
  | { readonly tag: 'wait'; readonly until: number }
  /** The session is not connected here; another gateway may have it. */
  | { readonly tag: 'yield' };

export function nextStep(facts: BulkFacts, now: number): BulkStep {
  const { startAt, dueAt, mediaUntil, hasQueued, session } = facts;
  if (startAt > now) return { tag: 'wait', until: startAt };
  if (!hasQueued) return { tag: 'settle' };
  if (session.status === 'logged_out') {
    return { tag: 'pause', reason: `The session was logged out: ${session.reason} Pair it and resume the bulk.` };
  }
  if (mediaUntil !== null && mediaUntil <= now) {
    const reason =
      'WhatsApp keeps uploaded media for two weeks, which are over; send the rest as a new bulk with the media.';
    return { tag: 'pause', reason };
  }
  if (session.status !== 'connected') return { tag: 'yield' };
  if (dueAt > now) return { tag: 'wait', until: dueAt };
  return { tag: 'send' };
}
