/** Which accounts have asked for whose devices: they are told when a companion is linked or unlinked. */
import type { Directory, Records, User } from '../types.ts';

export class Watchers {
  readonly #records: Records;
  readonly #directory: Directory;
  readonly #known = new Set<string>();

  constructor(records: Records, directory: Directory) {
    this.#records = records;
    this.#directory = directory;
    for (const { key } of records.list('watcher')) this.#known.add(key);
  }

  add(watched: User, watcher: User): void {
    const key = `${watched.pn} ${watcher.pn}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#records.put('watcher', key, Buffer.alloc(0));
  }

  /** The accounts that know of this user, itself included. */
  of(watched: User): User[] {
    const others = this.#records.list('watcher', `${watched.pn} `).flatMap(({ key }) => {
      const watcher = this.#directory.byPn(key.slice(watched.pn.length + 1));
      return watcher === undefined || watcher === watched ? [] : [watcher];
    });
    return [watched, ...others];
  }
}
