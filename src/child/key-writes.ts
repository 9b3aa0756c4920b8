/**
 * Gathers the key writes of one turn of the loop into one request. A send encrypts for the recipient's devices and for
 * the account's own at the same time, and each of these ratchet steps would else be a commit of its own.
 */
import type { KeyMutations, StoredValue } from '../contract/ipc.ts';

/** What does not fit travels separately: a request has to stay well below the size of a frame. */
const maxGatheredBytes = 256 * 1024;
/** How long something that could share a commit waits for one. */
const rideMs = 25;

type Commit = (mutations: KeyMutations, creds: StoredValue | null) => Promise<void>;

interface Gathering {
  readonly mutations: Record<string, Record<string, StoredValue | null>>;
  creds: StoredValue | null;
  bytes: number;
  readonly due: NodeJS.Immediate;
  readonly outcome: PromiseWithResolvers<void>;
}

export class KeyWrites {
  readonly #commit: Commit;
  #gathering: Gathering | null = null;
  #riders: (() => void)[] = [];
  #departure: NodeJS.Timeout | null = null;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  /** Resolves or rejects with the commit that carries these values; of several values of one key the last counts. */
  add(mutations: KeyMutations, creds: StoredValue | null): Promise<void> {
    const bytes = bytesOf(mutations) + (creds?.byteLength ?? 0);
    if (this.#gathering !== null && this.#gathering.bytes + bytes > maxGatheredBytes) this.flush();
    const gathering = (this.#gathering ??= this.#begin());
    for (const [type, values] of Object.entries(mutations)) {
      gathering.mutations[type] = { ...gathering.mutations[type], ...values };
    }
    gathering.creds = creds ?? gathering.creds;
    gathering.bytes += bytes;
    return gathering.outcome.promise;
  }

  /**
   * Calls back when the next key write is handed over, right before it, or after a while without one: two requests that
   * are made together share a commit.
   */
  ride(depart: () => void): void {
    this.#riders.push(depart);
    this.#departure ??= setTimeout(() => this.#depart(), rideMs);
  }

  /** Hands over at once what has gathered, for what must come after it. */
  flush(): void {
    this.#depart();
    const gathering = this.#gathering;
    if (gathering === null) return;
    this.#gathering = null;
    clearImmediate(gathering.due);
    const { mutations, creds, outcome } = gathering;
    this.#commit(mutations, creds).then(outcome.resolve, outcome.reject);
  }

  #depart(): void {
    if (this.#departure !== null) clearTimeout(this.#departure);
    this.#departure = null;
    for (const depart of this.#riders.splice(0)) depart();
  }

  #begin(): Gathering {
    const due = setImmediate(() => this.flush());
    return { mutations: {}, creds: null, bytes: 0, due, outcome: Promise.withResolvers<void>() };
  }
}

function bytesOf(mutations: KeyMutations): number {
  let bytes = 0;
  for (const values of Object.values(mutations)) {
    for (const value of Object.values(values)) bytes += value?.byteLength ?? 0;
  }
  return bytes;
}
