/** Pure: how often something may happen. A bucket holds so many, and is filled up again at a steady pace. */

export interface BucketPolicy {
  /** How many come back each second. */
  readonly perSecond: number;
  /** How many may be taken at once. */
  readonly burst: number;
}

export interface Bucket {
  /** How many were left, with the part of one that was on its way. */
  readonly level: number;
  /** When that was, milliseconds of a clock that does not jump. */
  readonly at: number;
}

export interface Taking {
  readonly bucket: Bucket;
  /** Whole ones that are left. */
  readonly left: number;
  /** Milliseconds until there is one more. */
  readonly nextMs: number;
  readonly isGranted: boolean;
}

/** Takes one, or answers that there is none; null stands for a bucket that nobody has taken from. */
export function takeFrom(bucket: Bucket | null, { perSecond, burst }: BucketPolicy, now: number): Taking {
  const refilled = bucket === null ? burst : bucket.level + (Math.max(0, now - bucket.at) * perSecond) / 1000;
  const level = Math.min(burst, refilled);
  const isGranted = level >= 1;
  const after = isGranted ? level - 1 : level;
  const left = Math.floor(after);
  return { bucket: { level: after, at: now }, left, nextMs: ((left + 1 - after) * 1000) / perSecond, isGranted };
}
