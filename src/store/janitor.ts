/** Keeps the store from growing for ever: deletes by and by what is older than it has to be. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { AuditStore } from './audit-store.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import type { MediaStore, MessagesStore } from './store.ts';

interface JanitorOptions {
  readonly messages: Pick<MessagesStore, 'prune' | 'forget'>;
  readonly media: Pick<MediaStore, 'deleteExpired'>;
  readonly idempotency: Pick<IdempotencyStore, 'prune'>;
  readonly audit: Pick<AuditStore, 'prune'>;
  /** How long messages are kept; null for ever. */
  readonly retentionMs: number | null;
  /** The same for the audit log. */
  readonly auditRetentionMs: number | null;
  readonly clock: Clock;
  readonly log: Logger;
}

const roundMs = 10 * 60_000;
/** WhatsApp repeats what was not acknowledged for two weeks at most. */
const memoryMs = 14 * 24 * 3_600_000;

export class Janitor {
  readonly #options: JanitorOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: JanitorOptions) {
    this.#options = options;
  }

  /** Begins with a round at once. */
  start(): void {
    this.#running = this.#round().finally(() => {
      if (!this.#isStopped) this.#timer = setTimeout(() => this.start(), roundMs);
    });
  }

  /** Resolves when the batch under way is done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #round(): Promise<void> {
    const { messages, media, idempotency, audit, retentionMs, auditRetentionMs, clock, log } = this.#options;
    try {
      await media.deleteExpired(clock.now());
      while (!this.#isStopped && (await idempotency.prune(clock.now())));
      while (!this.#isStopped && (await messages.forget(clock.now() - memoryMs)));
      if (auditRetentionMs !== null) {
        while (!this.#isStopped && (await audit.prune(clock.now() - auditRetentionMs)));
      }
      if (retentionMs === null) return;
      while (!this.#isStopped && (await messages.prune(clock.now() - retentionMs)));
    } catch (error) {
      log.warn({ err: error }, 'what is too old could not be deleted');
    }
  }
}
