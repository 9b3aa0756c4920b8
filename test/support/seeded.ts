/** Randomness that can be had again: CRASH_SEED repeats the run whose seed a failed test has printed. */
import { randomInt } from 'node:crypto';

export interface Seeded {
  readonly seed: number;
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from 0 to below `bound`. */
  below(bound: number): number;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
}

export function seeded(): Seeded {
  const given = Number(process.env['CRASH_SEED']);
  const seed = Number.isInteger(given) && given > 0 ? given : randomInt(1, 2 ** 31);
  let state = seed;
  /** Mulberry32: 32 bits of state are plenty for choosing moments. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return { seed, next, below, pick: (items) => items[below(items.length)] ?? items[0] };
}

/** How long the long variant of a test runs, in minutes. */
export const soakMinutes = (fallback: number): number => Number(process.env['SOAK_MINUTES'] ?? fallback);
