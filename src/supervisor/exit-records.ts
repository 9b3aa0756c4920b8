/** Keeps restart records in the store, in order; while the store is away they wait. */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { Logger } from '../log.ts';
import type { ChildExit, Store } from '../store/store.ts';
import type { LiveSession } from './live-session.ts';
import { SerialQueue } from './serial-queue.ts';
import { sleep } from './start-gate.ts';

interface RecordsOptions {
  readonly store: Pick<Store, 'children'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends when the supervisor stops. */
  readonly signal: AbortSignal;
}

const retryMs = 1000;
/** When hundreds die again and again while the store is away, the first records say it all. */
const maxWaiting = 2000;

export class ExitRecords {
  readonly #options: RecordsOptions;
  readonly #queue = new SerialQueue();
  #waiting = 0;

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  add(session: LiveSession, exit: ChildExit): void {
    session.hasOpenExit = true;
    this.#write(session.id, () => this.#options.store.children.add(session.id, exit));
  }

  /** The session works again. */
  cameBack(session: LiveSession): void {
    if (!session.hasOpenExit) return;
    session.hasOpenExit = false;
    const at = this.#options.clock.now();
    this.#write(session.id, () => this.#options.store.children.cameBack(session.id, at));
  }

  #write(session: SessionId, write: () => Promise<void>): void {
    const { log, signal } = this.#options;
    if (signal.aborted || this.#waiting >= maxWaiting) return;
    this.#waiting++;
    this.#queue
      .run(() => this.#insist(write))
      .catch((error: unknown) => log.warn({ err: error, session }, 'a restart record could not be kept'))
      .finally(() => this.#waiting--);
  }

  async #insist(write: () => Promise<void>): Promise<void> {
    const { signal } = this.#options;
    for (;;) {
      try {
        await write();
        return;
      } catch (error) {
        if (!(error instanceof WardenError) || error.code !== 'storage_unavailable' || signal.aborted) throw error;
      }
      await sleep(retryMs, signal);
    }
  }
}
