/** How many of something may be under way at the same time: in all, and by each holder. */

export interface SlotLimits {
  readonly most: number;
  /** By each holder, in the order in which they are named; null for no limit of its own. */
  readonly mostOf: readonly (number | null)[];
}

/** Taken; to be called when it is over, more than once does no harm. */
export type Release = () => void;

/** Which limit is reached: `all`, or the place of a holder. */
export type Full = 'all' | number;

export class Slots {
  readonly #limits: SlotLimits;
  /** Only those that hold something: memory is bounded by what is under way. */
  readonly #held = new Map<string, number>();
  #taken = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Takes one for holders such as a token and an address, or answers what there is too much of. */
  take(holders: readonly string[]): Release | Full {
    if (this.#taken >= this.#limits.most) return 'all';
    const keys = holders.map((holder, place) => `${place} ${holder}`);
    const full = keys.findIndex((key, place) => {
      const most = this.#limits.mostOf[place] ?? null;
      return most !== null && (this.#held.get(key) ?? 0) >= most;
    });
    if (full !== -1) return full;
    this.#taken += 1;
    for (const key of keys) this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#taken -= 1;
      for (const key of keys) this.#giveBack(key);
    };
  }

  get taken(): number {
    return this.#taken;
  }

  #giveBack(key: string): void {
    const left = (this.#held.get(key) ?? 1) - 1;
    if (left === 0) this.#held.delete(key);
    else this.#held.set(key, left);
  }
}
