/** When a child that has grown, or whose link is deaf, is replaced. Pure. Times are monotonic milliseconds. */
import type { RecyclePolicy } from './settings.ts';

/** Why a child is replaced although it still works. */
export type RecycleCause = 'memory' | 'deaf';

export interface RecycleRecord {
  readonly lastAt: number | null;
}

/** `wait`: it was replaced so recently that doing it again would be a loop; people are told instead. */
export function mayRecycle({ lastAt }: RecycleRecord, now: number, policy: RecyclePolicy): 'recycle' | 'wait' {
  return lastAt !== null && now - lastAt < policy.intervalMs ? 'wait' : 'recycle';
}

/**
 * Whether the moment has come: nothing is under way and the child has told how it is, which the record is to show, or
 * it was waited for long enough.
 */
export function isMoment(
  { wantedAt, inFlight, isTold }: { readonly wantedAt: number; readonly inFlight: number; readonly isTold: boolean },
  now: number,
  policy: RecyclePolicy,
): boolean {
  return (inFlight === 0 && isTold) || now - wantedAt >= policy.quietMs;
}
