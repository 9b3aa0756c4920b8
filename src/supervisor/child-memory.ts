/** Looks at the memory of one process and keeps what was seen. */
import type { Clock } from '../clock.ts';
import type { ChildNotices } from '../contract/ipc.ts';
import { MemoryHistory } from './memory-history.ts';
import { growthOf, looksToSkip, type GrowthKind, type MemorySample, type MemorySizes } from './memory-policy.ts';
import { privateMemoryBytes } from './proc.ts';

interface ChildMemoryOptions {
  readonly clock: Clock;
  /** Whether the kernel refuses memory beyond the cap, whatever is seen here. */
  readonly isCapped: boolean;
}

interface LookOptions {
  readonly pid: number;
  readonly vitals: ChildNotices['heartbeat'] | null;
  /** Beyond this the child is to be replaced. */
  readonly softBytes: number;
}

export class ChildMemory {
  readonly #options: ChildMemoryOptions;
  readonly #history = new MemoryHistory();
  #vitals: ChildNotices['heartbeat'] | null = null;
  /** What it told last, and what was there before it did: what came after the heartbeat, it does not tell of. */
  #told: MemorySizes | null = null;
  #toSkip = 0;
  /** Private memory at the last look; null where the system does not tell. */
  bytes: number | null = null;

  constructor(options: ChildMemoryOptions) {
    this.#options = options;
  }

  /** To be called at each tick. Null where the system does not tell, and while a look is not worth its while. */
  look({ pid, vitals, softBytes }: LookOptions): number | null {
    if (this.#toSkip-- > 0) return null;
    const before = this.bytes;
    this.bytes = privateMemoryBytes(pid);
    if (this.bytes === null) return null;
    this.#toSkip = this.#options.isCapped ? looksToSkip({ before, now: this.bytes, softBytes }) : 0;
    if (vitals !== null && vitals !== this.#vitals) {
      const { heapUsedBytes: heapBytes, externalBytes } = vitals;
      this.#told = { privateBytes: Math.min(before ?? this.bytes, this.bytes), heapBytes, externalBytes };
      this.#vitals = vitals;
    }
    this.#history.add({
      at: this.#options.clock.now(),
      privateBytes: this.bytes,
      heapBytes: vitals?.heapUsedBytes ?? null,
      externalBytes: vitals?.externalBytes ?? null,
    });
    return this.bytes;
  }

  /** Oldest first. */
  get samples(): readonly MemorySample[] {
    return this.#history.read();
  }

  get growth(): GrowthKind | null {
    return growthOf(this.samples, this.#told);
  }
}
