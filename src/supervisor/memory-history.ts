/** The last samples of a child's memory, and the first one: what a restart record shows. */
import type { MemorySample } from './memory-policy.ts';

const spacingMs = 1000;
const kept = 20;

export class MemoryHistory {
  #first: MemorySample | null = null;
  readonly #recent: MemorySample[] = [];

  add(sample: MemorySample): void {
    if (this.#first === null || this.#first.heapBytes === null) this.#first = sample;
    const last = this.#recent.at(-1);
    // The newest look replaces one that was taken just before it.
    if (last !== undefined && sample.at - last.at < spacingMs && this.#recent.length > 1) this.#recent.pop();
    this.#recent.push(sample);
    if (this.#recent.length > kept) this.#recent.shift();
  }

  get latest(): MemorySample | null {
    return this.#recent.at(-1) ?? null;
  }

  /** Oldest first. */
  read(): readonly MemorySample[] {
    const first = this.#first;
    return first === null || this.#recent.includes(first) ? [...this.#recent] : [first, ...this.#recent];
  }
}
