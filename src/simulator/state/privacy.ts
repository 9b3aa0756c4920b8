/** What an account lets others see and do. */
import type { Records, User } from '../types.ts';

/** WhatsApp's categories with the values of a new account. */
const defaults: Readonly<Record<string, string>> = {
  last: 'all',
  online: 'all',
  profile: 'all',
  status: 'all',
  readreceipts: 'all',
  groupadd: 'all',
  calladd: 'all',
  messages: 'all',
  defense: 'off',
  stickers: 'all',
};

const KIND = 'privacy';

export class Privacy {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  of(user: User, category: string): string {
    const chosen = this.#records.get(KIND, `${user.lid} ${category}`);
    return chosen === undefined ? (defaults[category] ?? 'all') : Buffer.from(chosen).toString('utf8');
  }

  all(user: User): readonly { readonly name: string; readonly value: string }[] {
    return Object.keys(defaults).map((name) => ({ name, value: this.of(user, name) }));
  }

  set(user: User, category: string, value: string): void {
    this.#records.put(KIND, `${user.lid} ${category}`, Buffer.from(value, 'utf8'));
  }
}
