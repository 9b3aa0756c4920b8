/**
 * Whether a session may have gone deaf: connected, its pings answered, and nothing is delivered any more. Pure. Silence is
 * judged by the session's own habit; what settles it is a question to WhatsApp. Times are monotonic milliseconds.
 */
import type { DeafPolicy } from './settings.ts';

export interface Hearing {
  /** The session's counters as last told. */
  readonly events: number;
  readonly frames: number;
  /** When it told something last, or was found to hear. */
  readonly heardAt: number;
  /** Frames since then. */
  readonly framesSince: number;
  /** The longest silence that ended by itself. */
  readonly habitMs: number;
}

export const beginHearing = (now: number): Hearing => ({
  events: 0,
  frames: 0,
  heardAt: now,
  framesSince: 0,
  habitMs: 0,
});

/** Counters of a heartbeat; they begin anew with each link. */
export function listen(
  hearing: Hearing,
  { events, frames, now }: { readonly events: number; readonly frames: number; readonly now: number },
): Hearing {
  const framesSince = hearing.framesSince + Math.max(0, frames - hearing.frames);
  if (events === hearing.events) return { ...hearing, frames, framesSince };
  const silenceMs = now - hearing.heardAt;
  return { events, frames, heardAt: now, framesSince: 0, habitMs: Math.max(silenceMs, hearing.habitMs) };
}

/** It was asked and has answered: it hears, there is just no news. Such a silence is a habit, too. */
export function provedWell(hearing: Hearing, now: number): Hearing {
  return { ...hearing, heardAt: now, framesSince: 0, habitMs: Math.max(now - hearing.heardAt, hearing.habitMs) };
}

const habitFactor = 2;
/** Pings and their answers are a few frames a minute; a session that gets so many and tells nothing is suspicious. */
const manyFrames = 300;

/** Whether a session has been silent for so long that it should be asked. */
export function shouldProbe(hearing: Hearing, now: number, policy: DeafPolicy): boolean {
  if (policy.silenceMs === 0) return false;
  const silentMs = now - hearing.heardAt;
  if (hearing.framesSince >= manyFrames && silentMs >= policy.silenceMs / 4) return true;
  return silentMs >= Math.max(policy.silenceMs, Math.min(hearing.habitMs * habitFactor, 6 * policy.silenceMs));
}
