/**
 * The fair share of processes in all memory that they use. The kernel walks all pages of a process for it, which takes
 * a millisecond or more: it is read when somebody asks, not too often, and not on the thread that serves requests.
 */
import type { Clock } from '../clock.ts';
import { proportionalMemoryBytes } from './proc.ts';

const validMs = 15_000;

export class FairShares {
  readonly #clock: Clock;
  #bytes: ReadonlyMap<number, number | null> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes at the last reading; null where the system does not tell, and for a process that was not there. */
  of(pid: number): number | null {
    return this.#bytes.get(pid) ?? null;
  }

  /** Reads those of all these processes, unless the last reading is recent and has them all. */
  async refresh(pids: readonly number[]): Promise<void> {
    const isRecent = this.#clock.monotonic() - this.#readAt < validMs;
    if (isRecent && pids.every((pid) => this.#bytes.has(pid))) return;
    await (this.#reading ??= this.#read(pids).finally(() => (this.#reading = null)));
  }

  async #read(pids: readonly number[]): Promise<void> {
    const read = await Promise.all(pids.map(async (pid) => [pid, await proportionalMemoryBytes(pid)] as const));
    this.#bytes = new Map(read);
    this.#readAt = this.#clock.monotonic();
  }
}
