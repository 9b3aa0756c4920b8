/** One timer for all children: each of its own would wake the supervisor once a second. */
/** Once a second, and often enough for silence to be noticed in time. */
export function tickMsFor(suspectMs: number): number {
  return Math.min(1000, Math.max(50, suspectMs / 4));
}

export class Pulse {
  readonly tickMs: number;
  readonly #looks = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;

  constructor(tickMs: number) {
    this.tickMs = tickMs;
  }

  /** Calls `look` at each tick; the answer ends that. */
  add(look: () => void): () => void {
    // A wrapper, so that the same function can be added twice and be removed twice.
    const own = (): void => look();
    this.#looks.add(own);
    this.#timer ??= setInterval(() => {
      for (const each of this.#looks) each();
    }, this.tickMs);
    return () => {
      this.#looks.delete(own);
      if (this.#looks.size > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    };
  }
}
