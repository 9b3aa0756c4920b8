/**
 * Whether a child still answers. Pure. The judge counts only time in which it was awake itself: after its own loop was
 * blocked, or the machine slept, it must not condemn children whose heartbeats it had no chance to read.
 */

export interface Watch {
  /** Monotonic milliseconds of the last look. */
  readonly lookedAt: number;
  /** Milliseconds awake since the last heartbeat. */
  readonly silentMs: number;
}

export interface WatchLimits {
  readonly suspectMs: number;
  readonly killMs: number;
}

export type Liveliness = 'well' | 'suspect' | 'dead';

/** How often a child beats while it has nothing to do: less, but twice before its silence would be suspicious. */
export function restingBeatMs({
  intervalMs,
  suspectMs,
}: {
  readonly intervalMs: number;
  readonly suspectMs: number;
}): number {
  return Math.max(intervalMs, Math.min(restFactor * intervalMs, suspectMs / 2));
}

const restFactor = 3;

export const beginWatch = (now: number): Watch => ({ lookedAt: now, silentMs: 0 });

/** A heartbeat was read. */
export const heard = (now: number): Watch => ({ lookedAt: now, silentMs: 0 });

/** A look that was planned for every `tickMs`: what exceeds it twice is the judge's own absence. */
export function look(watch: Watch, now: number, tickMs: number): Watch {
  const passedMs = Math.max(0, now - watch.lookedAt);
  return { lookedAt: now, silentMs: watch.silentMs + Math.min(passedMs, 2 * tickMs) };
}

export function judge(watch: Watch, limits: WatchLimits): Liveliness {
  if (watch.silentMs >= limits.killMs) return 'dead';
  return watch.silentMs >= limits.suspectMs ? 'suspect' : 'well';
}
