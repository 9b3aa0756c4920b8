/**
 * What the library uses of @cacheable/node-cache: values with a time to live. Nothing is copied and no timer runs; what
 * is over goes when it is asked for, and all of it when the cache has grown to twice what was left the last time.
 */
interface Entry {
  readonly value: unknown;
  readonly expiresAtMs: number;
}

const firstSweepAt = 256;

export class LightCache {
  readonly #entries = new Map<string, Entry>();
  readonly #ttlMs: number;
  #sweepAt = firstSweepAt;

  /** `stdTTL` in seconds; none or 0 keeps values for ever. */
  constructor({ stdTTL }: { readonly stdTTL?: number } = {}) {
    this.#ttlMs = stdTTL === undefined || stdTTL === 0 ? Number.POSITIVE_INFINITY : stdTTL * 1000;
  }

  /** Entries, also those that are over and were not asked for since. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string | number): unknown {
    const entry = this.#entries.get(String(key));
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs > performance.now()) return entry.value;
    this.#entries.delete(String(key));
    return undefined;
  }

  set(key: string | number, value: unknown): boolean {
    this.#entries.set(String(key), { value, expiresAtMs: performance.now() + this.#ttlMs });
    if (this.#entries.size >= this.#sweepAt) this.#sweep();
    return true;
  }

  del(keys: string | number | readonly (string | number)[]): number {
    const all = typeof keys === 'string' || typeof keys === 'number' ? [keys] : keys;
    return all.filter((key) => this.#entries.delete(String(key))).length;
  }

  flushAll(): void {
    this.#entries.clear();
  }

  close(): void {
    this.#entries.clear();
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, { expiresAtMs }] of this.#entries) if (expiresAtMs <= now) this.#entries.delete(key);
    this.#sweepAt = Math.max(firstSweepAt, this.#entries.size * 2);
  }
}
