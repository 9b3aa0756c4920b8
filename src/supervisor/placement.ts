/** Which child a session is put into. Pure. */

export interface Place {
  readonly child: string;
  readonly isSandbox: boolean;
  readonly sessions: number;
  /** Whether it is, or is becoming, a process that sessions can live in. */
  readonly isOpen: boolean;
  /** It belongs to one session alone. */
  readonly isIsolated: boolean;
}

export interface Newcomer {
  readonly isSandbox: boolean;
  /** It gets a child of its own, whatever the density. */
  readonly isIsolated: boolean;
}

/**
 * The fullest open child with room, so that children fill up; null for a new one. Sandbox and real sessions never share
 * a child: what people try out must not reach an account.
 */
export function placeSession(newcomer: Newcomer, places: readonly Place[], sessionsPerChild: number): string | null {
  if (newcomer.isIsolated) return null;
  let best: Place | null = null;
  for (const place of places) {
    if (!place.isOpen || place.isIsolated || place.isSandbox !== newcomer.isSandbox) continue;
    if (place.sessions >= sessionsPerChild) continue;
    if (best === null || place.sessions > best.sessions) best = place;
  }
  return best?.child ?? null;
}
