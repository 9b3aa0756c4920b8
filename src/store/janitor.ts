/** Keeps the store from growing for ever: deletes by and by what is older than it has to be. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { AuditStore } from './audit-store.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import type { BulkStore } from './bulk-store.ts';
import type { MediaStore, MessagesStore } from './store.ts';
import type { DeliveriesStore } from './webhook-records.ts';

interface JanitorOptions {
  readonly messages: Pick<MessagesStore, 'prune' | 'forget'>;
  readonly media: Pick<MediaStore, 'deleteExpired'>;
  readonly idempotency: Pick<IdempotencyStore, 'prune'>;
  readonly bulks: Pick<BulkStore, 'prune'>;
  readonly deliveries: Pick<DeliveriesStore, 'pruneDead' | 'pruneEvents'>;
  readonly audit: Pick<AuditStore, 'prune'>;
  /** How long things are kept; null for ever. */
  readonly retention: {
    readonly messagesMs: number | null;
    /** Longer where a delivery still needs them. */
    readonly eventsMs: number | null;
    readonly deadDeliveriesMs: number | null;
    readonly auditMs: number | null;
  };
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
    const { messages, media, idempotency, bulks, audit, retention, clock, log } = this.#options;
    try {
      await media.deleteExpired(clock.now());
      while (!this.#isStopped && (await idempotency.prune(clock.now())));
      while (!this.#isStopped && (await messages.forget(clock.now() - memoryMs)));
      await this.#pruneDeliveries();
      if (retention.auditMs !== null) {
        while (!this.#isStopped && (await audit.prune(clock.now() - retention.auditMs)));
      }
      if (retention.messagesMs === null) return;
      await bulks.prune(clock.now() - retention.messagesMs);
      while (!this.#isStopped && (await messages.prune(clock.now() - retention.messagesMs)));
    } catch (error) {
      log.warn({ err: error }, 'what is old could not be deleted');
    }
  }

  /** Dead ones first: what they leave behind are events that nobody needs. */
  async #pruneDeliveries(): Promise<void> {
    const { deliveries, retention, clock } = this.#options;
    const { deadDeliveriesMs, eventsMs } = retention;
    if (deadDeliveriesMs !== null) {
      while (!this.#isStopped && (await deliveries.pruneDead(clock.now() - deadDeliveriesMs)));
    }
    if (eventsMs === null) return;
    let after = await deliveries.pruneEvents(clock.now() - eventsMs, null);
    while (!this.#isStopped && after !== null) after = await deliveries.pruneEvents(clock.now() - eventsMs, after);
  }
}
