/** Whom each account has among its contacts, as its owner put them there. */
import type { Records, User } from '../types.ts';

const KIND = 'address-book';

export class AddressBook {
  readonly #records: Records;
  /** By LID digits of the account. */
  readonly #entries = new Map<string, Set<string>>();

  constructor(records: Records) {
    this.#records = records;
    for (const { key } of records.list(KIND)) {
      const [account = '', person = ''] = key.split('/');
      this.#of(account).add(person);
    }
  }

  add(account: User, person: User): void {
    const entries = this.#of(account.lid);
    if (entries.has(person.lid)) return;
    entries.add(person.lid);
    this.#records.put(KIND, `${account.lid}/${person.lid}`, Buffer.alloc(0));
  }

  /** LID digits. */
  of(account: User): ReadonlySet<string> {
    return this.#of(account.lid);
  }

  #of(account: string): Set<string> {
    const entries = this.#entries.get(account) ?? new Set<string>();
    this.#entries.set(account, entries);
    return entries;
  }
}
