/** When one child is to be replaced although it works, over all its processes; and the warning when that cannot help. */
import type { Clock } from '../clock.ts';
import type { GrowthKind } from './memory-policy.ts';
import { isMoment, mayRecycle, type RecycleCause } from './recycle-policy.ts';
import type { RecyclePolicy } from './settings.ts';

/** A child that grew again soon after it was replaced for that. */
export interface MemoryWarning {
  readonly growth: GrowthKind | null;
  readonly memoryBytes: number;
}

export class Recycling {
  readonly #policy: RecyclePolicy;
  readonly #clock: Clock;
  #wanted: { readonly cause: RecycleCause; readonly wantedAt: number } | null = null;
  #lastAt: number | null = null;
  #warning: MemoryWarning | null = null;

  constructor(policy: RecyclePolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  get warning(): MemoryWarning | null {
    return this.#warning;
  }

  /** Another process is there: it has done nothing yet. */
  begin(): void {
    this.#wanted = null;
  }

  /** False when the child was replaced so recently that doing it again cannot help. */
  want(cause: RecycleCause): boolean {
    if (this.#wanted !== null) return true;
    const now = this.#clock.monotonic();
    if (mayRecycle({ lastAt: this.#lastAt }, now, this.#policy) === 'wait') return false;
    this.#wanted = { cause, wantedAt: now };
    return true;
  }

  /** Why the moment has come; null when it has not. `toldAt` is when the child last told how it is. */
  due({ inFlight, toldAt }: { readonly inFlight: number; readonly toldAt: number }): RecycleCause | null {
    if (this.#wanted === null) return null;
    const { cause, wantedAt } = this.#wanted;
    const moment = { wantedAt, inFlight, isTold: toldAt > wantedAt };
    return isMoment(moment, this.#clock.monotonic(), this.#policy) ? cause : null;
  }

  /** The process is being replaced, or killed for its size. */
  happens(): void {
    this.#lastAt = this.#clock.monotonic();
  }

  /** Sets or lifts the warning; answers whether there is one now where there was none, or the other way round. */
  warn(warning: MemoryWarning | null): boolean {
    const hasChanged = (warning === null) !== (this.#warning === null);
    this.#warning = warning;
    return hasChanged;
  }
}
