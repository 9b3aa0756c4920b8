/** Looks at the memory of one process and keeps what was seen. */
import type { Clock } from '../clock.ts';
import type { ChildNotices } from '../contract/ipc.ts';
import { MemoryHistory } from './memory-history.ts';
import { growthOf, type GrowthKind, type MemorySample, type MemorySizes } from './memory-policy.ts';
import { privateMemoryBytes, proportionalMemoryBytes } from './proc.ts';

/** Reading the proportional size takes the kernel about a millisecond. */
const pssIntervalMs = 15_000;

export class ChildMemory {
  readonly #clock: Clock;
  readonly #history = new MemoryHistory();
  #pssAt = 0;
  #vitals: ChildNotices['heartbeat'] | null = null;
  /** What it told last, and what was there before it did: what came after the heartbeat, it does not tell of. */
  #told: MemorySizes | null = null;
  /** Private memory at the last look; null where the system does not tell. */
  bytes: number | null = null;
  /** The fair share of all memory that it uses, shared pages included. */
  pssBytes: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  look(pid: number, vitals: ChildNotices['heartbeat'] | null): number | null {
    const before = this.bytes;
    this.bytes = privateMemoryBytes(pid);
    if (this.bytes === null) return null;
    if (vitals !== null && vitals !== this.#vitals) {
      const { heapUsedBytes: heapBytes, externalBytes } = vitals;
      this.#told = { privateBytes: Math.min(before ?? this.bytes, this.bytes), heapBytes, externalBytes };
      this.#vitals = vitals;
    }
    const now = this.#clock.monotonic();
    if (this.pssBytes === null || now - this.#pssAt >= pssIntervalMs) {
      this.pssBytes = proportionalMemoryBytes(pid);
      this.#pssAt = now;
    }
    this.#history.add({
      at: this.#clock.now(),
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
