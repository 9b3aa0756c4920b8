/** Limits that WhatsApp sets to an account: no new chats for a while, or so many a month. Kept in memory. */
import type { User } from '../types.ts';

export interface Restriction {
  readonly isActive: boolean;
  /** Unix seconds; 0 when there is no end. */
  readonly endsAt: number;
  readonly type: string;
}

export interface NewChatQuota {
  readonly total: number;
  readonly used: number;
}

const NONE: Restriction = { isActive: false, endsAt: 0, type: 'DEFAULT' };
const USUAL_QUOTA: NewChatQuota = { total: 1000, used: 0 };

export class Restrictions {
  readonly #restrictions = new Map<string, Restriction>();
  readonly #quotas = new Map<string, NewChatQuota>();

  of(user: User): Restriction {
    return this.#restrictions.get(user.lid) ?? NONE;
  }

  set(user: User, restriction: Restriction): void {
    this.#restrictions.set(user.lid, restriction);
  }

  quota(user: User): NewChatQuota {
    return this.#quotas.get(user.lid) ?? USUAL_QUOTA;
  }

  setQuota(user: User, quota: NewChatQuota): void {
    this.#quotas.set(user.lid, quota);
  }
}
