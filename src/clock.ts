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

/** Milliseconds of the machine's clock, which never jumps: the same in all processes, for what passes between them. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;
