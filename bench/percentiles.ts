/** Exact percentiles of samples (nearest rank): nothing is interpolated, and nothing is thrown away. Pure. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Null without samples. Rounded to hundredths. */
export function percentilesOf(samples: readonly number[]): Percentiles | null {
  if (samples.length === 0) return null;
  const sorted = samples.toSorted((one, other) => one - other);
  const rank = (part: number): number => {
    const value = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
    return Math.round(value * 100) / 100;
  };
  return { count: sorted.length, p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: rank(1) };
}
