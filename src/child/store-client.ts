/**
 * A session's keys, credentials and records, kept by the supervisor. What is written is acknowledged after COMMIT; what
 * is read often is cached here as the bytes that were committed, so that a busy chat costs writes only.
 */
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { KeyMutations, MessageRecord, RecordItem, StoredValue, ToSupervisor } from '../contract/ipc.ts';
import { KeyWrites } from './key-writes.ts';

/** The part of the channel that a store client needs. */
export interface Requester {
  request<N extends keyof ToSupervisor>(name: N, body: ToSupervisor[N]['body']): Promise<ToSupervisor[N]['answer']>;
}

interface StoreClientOptions {
  readonly session: SessionId;
  readonly epoch: number;
  readonly requester: Requester;
  /** Called once when another process has taken the session over. */
  readonly onFenced: () => void;
}

/** Read so often that they stay in memory; pre-keys are many and read once. */
const cachedTypes = new Set([
  'session',
  'sender-key',
  'identity-key',
  'lid-mapping',
  'device-list',
  'tctoken',
  'recipient',
  'contact-name',
  'chat-expiration',
]);
const cacheEntries = 2_000;
/** An answer must fit into one frame: a session record can have 35 KB, a pre-key has a hundred bytes. */
const idsPerRequest = 24;
const preKeysPerRequest = 1_000;
/** The session is closed here, the supervisor is gone, or another process owns the session. */
const endCodes = new Set<string>(['shutting_down', 'session_restarted', 'fenced']);
const firstRetryMs = 250;
const maxRetryMs = 2_000;

export class StoreClient {
  readonly #options: StoreClientOptions;
  /** `type/id` → committed bytes, or null for known absence; in order of use. */
  readonly #cache = new Map<string, StoredValue | null>();
  readonly #abort = new AbortController();
  #generation = 0;
  readonly #keyWrites = new KeyWrites((mutations, creds) => this.#setKeys(mutations, creds));

  constructor(options: StoreClientOptions) {
    this.#options = options;
  }

  /** Counts up when the credentials are cleared. */
  get generation(): number {
    return this.#generation;
  }

  /** Values by id; ids without a value are absent. */
  async get(type: string, ids: readonly string[]): Promise<Readonly<Record<string, StoredValue>>> {
    const found: Record<string, StoredValue> = {};
    const missing: string[] = [];
    for (const id of ids) {
      const cached = this.#cache.get(`${type}/${id}`);
      if (cached === undefined) missing.push(id);
      else if (cached !== null) found[id] = cached;
    }
    if (missing.length === 0) return found;
    const { session } = this.#options;
    const perRequest = type === 'pre-key' ? preKeysPerRequest : idsPerRequest;
    for (let start = 0; start < missing.length; start += perRequest) {
      const part = missing.slice(start, start + perRequest);
      const loaded = await this.#persistently(() => this.#ask('keys_get', { session, type, ids: part }));
      for (const id of part) {
        const value = loaded[id];
        if (value !== undefined) found[id] = value;
        this.#remember(type, id, value ?? null);
      }
    }
    return found;
  }

  /**
   * Writes all in one transaction and returns after COMMIT. While the database is away it waits: a failure here would
   * be taken for a message that cannot be decrypted. Throws `session_restarted` for a `generation` whose credentials
   * have been cleared: a write that was under way then must not bring them back.
   */
  async set(mutations: KeyMutations, creds: StoredValue | null, generation = this.#generation): Promise<void> {
    if (generation !== this.#generation) throw new WardenError('session_restarted');
    const changed = this.#withoutUnchanged(mutations);
    if (changed === null && creds === null) return;
    await this.#keyWrites.add(changed ?? {}, creds);
    for (const [type, values] of Object.entries(changed ?? {})) {
      for (const [id, value] of Object.entries(values)) this.#remember(type, id, value);
    }
  }

  async record(items: readonly RecordItem[]): Promise<void> {
    const { session, epoch } = this.#options;
    await this.#persistently(() => this.#ask('record', { session, epoch, items }));
  }

  /**
   * Fails with `storage_unavailable` rather than waiting: a message that is not kept must not go out. It is kept with the
   * next ratchet step, which is mostly its own.
   */
  sending(record: MessageRecord): Promise<void> {
    const { session, epoch } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#keyWrites.ride(() => {
      this.#ask('message_sending', { session, epoch, record }).then(() => resolve(), reject);
    });
    return promise;
  }

  message(id: string): Promise<ToSupervisor['message_get']['answer']> {
    return this.#ask('message_get', { session: this.#options.session, id });
  }

  async clearCredentials(): Promise<void> {
    const { session, epoch } = this.#options;
    this.#keyWrites.flush();
    this.#generation += 1;
    await this.#persistently(() => this.#ask('credentials_clear', { session, epoch }));
    this.#cache.clear();
  }

  /** Ends all waiting; later calls fail. */
  close(): void {
    this.#keyWrites.flush();
    this.#abort.abort();
  }

  async #setKeys(mutations: KeyMutations, creds: StoredValue | null): Promise<void> {
    const { session, epoch } = this.#options;
    await this.#persistently(() => this.#ask('keys_set', { session, epoch, mutations, creds }));
  }

  async #ask<N extends keyof ToSupervisor>(name: N, body: ToSupervisor[N]['body']): Promise<ToSupervisor[N]['answer']> {
    try {
      return await this.#options.requester.request(name, body);
    } catch (error) {
      if (error instanceof WardenError && error.code === 'fenced') this.#options.onFenced();
      throw error;
    }
  }

  async #persistently<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
    const { signal } = this.#abort;
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(delayMs * 2, maxRetryMs)) {
      if (signal.aborted) throw new WardenError('shutting_down');
      try {
        return await attempt();
      } catch (error) {
        const isPassing =
          error instanceof WardenError && (error.code === 'storage_unavailable' || error.code === 'session_busy');
        if (!isPassing) throw error;
      }
      await pause(delayMs, signal);
    }
  }

  #withoutUnchanged(mutations: KeyMutations): KeyMutations | null {
    const changed: Record<string, Record<string, StoredValue | null>> = {};
    let isEmpty = true;
    for (const [type, values] of Object.entries(mutations)) {
      for (const [id, value] of Object.entries(values)) {
        if (isSame(this.#cache.get(`${type}/${id}`), value)) continue;
        (changed[type] ??= {})[id] = value;
        isEmpty = false;
      }
    }
    return isEmpty ? null : changed;
  }

  #remember(type: string, id: string, value: StoredValue | null): void {
    if (!cachedTypes.has(type)) return;
    const key = `${type}/${id}`;
    this.#cache.delete(key);
    this.#cache.set(key, value);
    if (this.#cache.size <= cacheEntries) return;
    const oldest = this.#cache.keys().next();
    if (oldest.done !== true) this.#cache.delete(oldest.value);
  }
}

/** Whether a failure says that this process may not, or can not, write for the session any more. */
export function isEnd(error: unknown): boolean {
  return error instanceof WardenError && endCodes.has(error.code);
}

function isSame(known: StoredValue | null | undefined, value: StoredValue | null): boolean {
  if (known === undefined) return false;
  if (known === null || value === null) return known === value;
  return Buffer.compare(known, value) === 0;
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
