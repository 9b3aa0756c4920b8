/**
 * Holds back stampedes: how many children may boot at the same time, and how fast sessions may knock at WhatsApp. Many
 * forks at once stall the supervisor's loop and take no less time in sum.
 */
import type { Clock } from '../clock.ts';

/** A place at the gate; release gives it to the next in line, and may be called more than once. */
export interface Slot {
  release(): void;
}

/** `one`: a single start, to see whether it succeeds. */
export type Admittance = 'all' | 'one' | 'none';

export class StartGate {
  readonly #limit: number;
  readonly #waiting: ((slot: Slot) => void)[] = [];
  #taken = 0;
  #admittance: Admittance = 'all';

  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  /** Calls back with a slot, first come first served; the answer gives the place in line up. */
  await(onSlot: (slot: Slot) => void): () => void {
    this.#waiting.push(onSlot);
    queueMicrotask(() => this.#admit());
    return () => {
      const index = this.#waiting.indexOf(onSlot);
      if (index !== -1) this.#waiting.splice(index, 1);
    };
  }

  /** How many hold a slot, and how many wait for one. */
  get load(): { readonly starting: number; readonly waiting: number } {
    return { starting: this.#taken, waiting: this.#waiting.length };
  }

  /** Holds back those that wait from now on; slots given already stay given. */
  allow(admittance: Admittance): void {
    this.#admittance = admittance;
    this.#admit();
  }

  #admit(): void {
    while (this.#admittance !== 'none' && this.#taken < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (this.#admittance === 'one') this.#admittance = 'none';
      this.#taken++;
      next(this.#slot());
    }
  }

  #slot(): Slot {
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#taken--;
        this.#admit();
      },
    };
  }
}

interface BucketOptions {
  readonly ratePerSecond: number;
  readonly burst: number;
  readonly clock: Clock;
  readonly random: () => number;
}

const maxJitterMs = 1000;

/** A token bucket; those that have to wait are spread by up to a second, those within the burst are not held back. */
export class LinkGate {
  readonly #options: BucketOptions;
  #tokens: number;
  #waitingCount = 0;
  #countedAt: number;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#countedAt = options.clock.monotonic();
  }

  /** Resolves when the caller may connect; at once (false) when `signal` ends the wait. */
  async pass(signal: AbortSignal): Promise<boolean> {
    const { ratePerSecond, random } = this.#options;
    this.#refill();
    this.#tokens -= 1;
    if (this.#tokens >= 0) return !signal.aborted;
    const waitMs = (-this.#tokens / ratePerSecond) * 1000 + random() * maxJitterMs;
    this.#waitingCount++;
    const isAdmitted = await sleep(waitMs, signal);
    this.#waitingCount--;
    if (isAdmitted) return true;
    this.#tokens += 1;
    return false;
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  #refill(): void {
    const { ratePerSecond, burst, clock } = this.#options;
    const now = clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#countedAt) / 1000) * ratePerSecond);
    this.#countedAt = now;
  }
}

/** True after so many milliseconds, false as soon as the signal ends it. */
export function sleep(delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const finish = (isDone: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(isDone);
    };
    const onAbort = () => finish(false);
    const timer = setTimeout(() => finish(true), delayMs);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
