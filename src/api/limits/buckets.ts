/** The buckets of all that one limit holds for: tokens, sessions, browsers, addresses. */
import { takeFrom, type Bucket, type BucketPolicy, type Taking } from './token-bucket.ts';

/** Beyond so many the one that was used longest ago is forgotten, and full again: memory stays bounded. */
const mostBuckets = 10_000;

export class Buckets {
  readonly policy: BucketPolicy;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(policy: BucketPolicy) {
    this.policy = policy;
  }

  /** `now` in milliseconds of a clock that does not jump. */
  take(key: string, now: number): Taking {
    const taking = takeFrom(this.#buckets.get(key) ?? null, this.policy, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, taking.bucket);
    if (this.#buckets.size > mostBuckets) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return taking;
  }

  get size(): number {
    return this.#buckets.size;
  }
}
