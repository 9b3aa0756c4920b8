/** Where commits find out who sends what they create. */
import type { LeaseTaker } from './webhook-records.ts';

export class LeaseDesk {
  readonly #takers = new Set<LeaseTaker>();

  /** Returns the way out. */
  add(taker: LeaseTaker): () => void {
    this.#takers.add(taker);
    return () => void this.#takers.delete(taker);
  }

  /** Somebody who has room now, or null. */
  free(): LeaseTaker | null {
    for (const taker of this.#takers) if (taker.places() > 0) return taker;
    return null;
  }
}
