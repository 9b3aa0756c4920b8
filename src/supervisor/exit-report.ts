import type { ExitVerdict } from './exit-cause.ts';
import type { GrowthKind, MemorySample } from './memory-policy.ts';

/** What is known of a process that has ended. */
export interface ExitReport {
  readonly verdict: ExitVerdict;
  readonly pid: number | null;
  /** Unix milliseconds. */
  readonly at: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly uptimeMs: number;
  readonly capBytes: number;
  /** Oldest first. */
  readonly memory: readonly MemorySample[];
  readonly growth: GrowthKind | null;
  /** Redacted. */
  readonly stderrTail: string;
}
