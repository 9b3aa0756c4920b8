/**
 * What is known of groups between two changes of them. Every send to a group needs its members, and WhatsApp announces
 * changes by itself; what happens while the session is offline it does not, so each connection begins with nothing.
 */
import type { GroupFacts } from './group-facts.ts';

/** Enough for the groups that a session writes to in a while, and a few megabytes at most. */
const mostMembers = 10_000;

export class GroupCache {
  /** In order of use. */
  readonly #groups = new Map<string, GroupFacts>();
  readonly #mostMembers: number;
  #members = 0;
  #version = 0;

  constructor(most = mostMembers) {
    this.#mostMembers = most;
  }

  /** Grows with every change that was told: what was asked for before such a change may be out of date. */
  get version(): number {
    return this.#version;
  }

  get(jid: string): GroupFacts | undefined {
    const known = this.#groups.get(jid);
    if (known === undefined) return undefined;
    this.#groups.delete(jid);
    this.#groups.set(jid, known);
    return known;
  }

  /** Keeps what was asked for at that version, unless something has changed since. */
  put(group: GroupFacts, askedAt: number): void {
    if (askedAt !== this.#version) return;
    this.#drop(group.jid);
    this.#groups.set(group.jid, group);
    this.#members += group.members.length;
    for (const jid of this.#groups.keys()) {
      if (this.#members <= this.#mostMembers || this.#groups.size === 1) break;
      this.#drop(jid);
    }
  }

  /** The group has changed, or may have. */
  forget(jid: string): void {
    this.#version++;
    this.#drop(jid);
  }

  clear(): void {
    this.#version++;
    this.#groups.clear();
    this.#members = 0;
  }

  #drop(jid: string): void {
    this.#members -= this.#groups.get(jid)?.members.length ?? 0;
    this.#groups.delete(jid);
  }
}
