/** The one source of time; tests pass their own. */
export interface Clock {
  /** Unix milliseconds; may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that never jump or run backwards, for intervals and deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
