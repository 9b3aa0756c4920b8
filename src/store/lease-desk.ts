/** Where commits find out who sends what they create. */
import type { ClaimedDelivery } from './webhook-records.ts';

/** Whoever sends deliveries as soon as they are committed. */
export interface LeaseTaker {
  readonly leaseMs: number;
  /** How many it has room for now. */
  places(): number;
  take(deliveries: readonly ClaimedDelivery[]): void;
}

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
