/** The calls that came in for accounts: kept in memory, for inspection and to follow them up. */
import type { User } from '../types.ts';

export type CallStatus = 'ringing' | 'accepted' | 'rejected' | 'timed_out' | 'ended' | 'blocked';

export interface Call {
  readonly id: string;
  readonly from: User;
  readonly to: User;
  readonly isVideo: boolean;
  /** JID of the group that is called. */
  readonly group: string | null;
  /** Unix seconds. */
  readonly at: number;
  readonly status: CallStatus;
}

const KEPT = 1000;

export class Calls {
  readonly #byId = new Map<string, Call>();

  save(call: Call): void {
    this.#byId.set(call.id, call);
    if (this.#byId.size <= KEPT) return;
    for (const oldest of this.#byId.keys()) {
      this.#byId.delete(oldest);
      break;
    }
  }

  byId(id: string): Call | undefined {
    return this.#byId.get(id);
  }

  /** Oldest first. */
  of(account: User): readonly Call[] {
    return [...this.#byId.values()].filter(({ to }) => to === account);
  }
}
