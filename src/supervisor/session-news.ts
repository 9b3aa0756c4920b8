/**
 * Tells what happens to a session itself: every real change of its status, and restarts of its process. Events of one
 * session are told in order; while the store is away they wait.
 */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionEvent } from '../contract/events.ts';
import type { SessionId } from '../contract/ids.ts';
import type { SessionStatus } from '../contract/operations/sessions.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { ExitVerdict } from './exit-cause.ts';
import { SerialQueue } from './serial-queue.ts';
import { sleep } from './start-gate.ts';

interface CurrentStatus {
  readonly status: SessionStatus;
  readonly statusReason: string;
}

interface NewsOptions {
  readonly store: Pick<Store, 'commits'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends when the supervisor stops: from then on nothing is told any more. */
  readonly signal: AbortSignal;
}

interface Told {
  status: SessionStatus;
  isDue: boolean;
  waiting: number;
  readonly read: () => CurrentStatus;
  readonly queue: SerialQueue;
}

const retryMs = 1000;
/** What a session tells while the store is away for long is of little use later. */
const maxWaiting = 100;

export class SessionNews {
  readonly #options: NewsOptions;
  readonly #told = new Map<SessionId, Told>();

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** Begins with the status as it is; `read` answers it from now on. */
  watch(id: SessionId, read: () => CurrentStatus): void {
    this.#told.set(id, { status: read().status, isDue: false, waiting: 0, read, queue: new SerialQueue() });
  }

  forget(id: SessionId): void {
    this.#told.delete(id);
  }

  /** The status may have changed. What changes within one turn of the event loop is one change. */
  changed(id: SessionId): void {
    const told = this.#told.get(id);
    if (told === undefined || told.isDue) return;
    told.isDue = true;
    setImmediate(() => {
      told.isDue = false;
      if (this.#told.get(id) === told) this.#compare(id, told);
    });
  }

  /** The process of a session has ended unplanned, and another one is there. */
  restarted(id: SessionId, { cause, detail }: ExitVerdict, restarts: number): void {
    this.#tell(id, { name: 'session_restarted', data: { cause, detail, restarts } });
  }

  #compare(id: SessionId, told: Told): void {
    const { status, statusReason: reason } = told.read();
    if (status === told.status) return;
    const previous = told.status;
    told.status = status;
    this.#tell(id, { name: 'session_status', data: { status, previous, reason } });
  }

  #tell(id: SessionId, event: SessionEvent): void {
    const { clock, log, signal } = this.#options;
    const told = this.#told.get(id);
    if (told === undefined || signal.aborted) return;
    if (told.waiting >= maxWaiting) {
      log.warn({ session: id, event: event.name }, 'news of a session were dropped, the store is away');
      return;
    }
    const at = clock.now();
    told.waiting++;
    told.queue
      .run(() => this.#emit(id, event, at))
      .catch((error: unknown) => log.warn({ err: error, session: id }, 'news of a session could not be told'))
      .finally(() => told.waiting--);
  }

  async #emit(id: SessionId, event: SessionEvent, at: number): Promise<void> {
    const { store, signal } = this.#options;
    while (this.#told.has(id)) {
      try {
        await store.commits.emit(id, event, at);
        return;
      } catch (error) {
        if (!(error instanceof WardenError) || error.code !== 'storage_unavailable' || signal.aborted) throw error;
      }
      await sleep(retryMs, signal);
    }
  }
}
