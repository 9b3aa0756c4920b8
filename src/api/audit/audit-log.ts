/**
 * Writes down who changed what, in batches and never in anybody's way: a request does not wait for its entry. What was
 * not written when the process dies is lost; that is the last moment, or what waited for a database that was away.
 */
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { AuditEntry, AuditStore } from '../../store/audit-store.ts';

interface AuditLogOptions {
  readonly store: Pick<AuditStore, 'append'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

const batchDelayMs = 250;
const retryDelayMs = 5_000;
const mostPerBatch = 500;
/** Beyond so many waiting entries new ones are counted and dropped: some megabytes. */
const mostWaiting = 20_000;

export class AuditLog {
  readonly #options: AuditLogOptions;
  #waiting: AuditEntry[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  record(entry: Omit<AuditEntry, 'at'>): void {
    if (this.#waiting.length >= mostWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push({ ...entry, at: this.#options.clock.now() });
    if (!this.#isStopped) this.#schedule(batchDelayMs);
  }

  /** Writes what waits; what cannot be written then is lost. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
    if (this.#waiting.length > 0) this.#options.log.warn({ lost: this.#waiting.length }, 'audit entries were lost');
  }

  #schedule(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#writing = this.#write().finally(() => {
        this.#timer = undefined;
        if (this.#waiting.length > 0 && !this.#isStopped) this.#schedule(retryDelayMs);
      });
    }, delayMs);
  }

  async #write(): Promise<void> {
    const { store, log } = this.#options;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.slice(0, mostPerBatch);
        await store.append(batch);
        this.#waiting = this.#waiting.slice(batch.length);
      }
    } catch (error) {
      log.warn({ err: error, waiting: this.#waiting.length }, 'audit entries could not be written');
    }
    if (this.#dropped === 0) return;
    log.warn({ dropped: this.#dropped }, 'audit entries were dropped: too many waited');
    this.#dropped = 0;
  }
}
