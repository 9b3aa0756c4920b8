/** Whom an account has blocked. */
import type { Directory, Records, User } from '../types.ts';

const KIND = 'blocked';

export class Blocklist {
  readonly #records: Records;
  readonly #directory: Directory;

  constructor(records: Records, directory: Directory) {
    this.#records = records;
    this.#directory = directory;
  }

  has(owner: User, other: User): boolean {
    return this.#records.get(KIND, `${owner.lid}/${other.lid}`) !== undefined;
  }

  add(owner: User, other: User): void {
    this.#records.put(KIND, `${owner.lid}/${other.lid}`, Buffer.alloc(0));
  }

  remove(owner: User, other: User): void {
    this.#records.delete(KIND, `${owner.lid}/${other.lid}`);
  }

  list(owner: User): readonly User[] {
    const prefix = `${owner.lid}/`;
    return this.#records.list(KIND, prefix).flatMap(({ key }) => this.#directory.byLid(key.slice(prefix.length)) ?? []);
  }
}
