/** What sessions told the server besides messages: receipts, typing, presence. Kept in memory, for inspection. */
import type { User } from '../types.ts';

export interface SeenReceipt {
  readonly message_id: string;
  /** JID of the session's device. */
  readonly from: string;
  /** JID as the session addressed it. */
  readonly to: string;
  /** `delivered` for a receipt without type, else the type. */
  readonly type: string;
  /** Unix seconds. */
  readonly at: number;
}

export interface SeenChatState {
  readonly to: string;
  /** `composing`, `recording`, `paused`, or for presence `available`, `unavailable`, `subscribe`. */
  readonly state: string;
  readonly at: number;
}

interface AccountActivity {
  readonly receipts: SeenReceipt[];
  readonly chatStates: SeenChatState[];
}

const KEPT = 2_000;

export class Activity {
  readonly #byAccount = new Map<string, AccountActivity>();

  receipt(account: User, seen: SeenReceipt): void {
    append(this.of(account).receipts, seen);
  }

  chatState(account: User, seen: SeenChatState): void {
    append(this.of(account).chatStates, seen);
  }

  of(account: User): AccountActivity {
    const known = this.#byAccount.get(account.lid);
    if (known !== undefined) return known;
    const fresh = { receipts: [], chatStates: [] };
    this.#byAccount.set(account.lid, fresh);
    return fresh;
  }
}

function append<Item>(items: Item[], item: Item): void {
  items.push(item);
  if (items.length >= KEPT * 2) items.splice(0, KEPT);
}
