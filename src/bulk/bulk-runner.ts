/** Finds bulks that nobody works on, and works on them: also those that a gateway left when it died. */
import { randomUUID } from 'node:crypto';
import { BulkRun, type BulkDependencies } from './run-bulk.ts';

const pollMs = 2000;
/** A gateway that died loses its bulks after so long. */
const leaseMs = 10_000;

export class BulkRunner {
  readonly #dependencies: BulkDependencies;
  readonly #owner = randomUUID();
  readonly #runs = new Map<string, Promise<void>>();
  readonly #lifetime = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> = Promise.resolve();

  constructor(dependencies: BulkDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), pollMs);
    this.wake();
  }

  /** There may be something to do. */
  wake(): void {
    this.#polling = this.#polling.then(() => this.#poll());
  }

  /** Resolves when nothing is begun any more and all leases are given up. */
  async stop(): Promise<void> {
    this.#lifetime.abort();
    clearInterval(this.#timer);
    await this.#polling;
    await Promise.all(this.#runs.values());
  }

  async #poll(): Promise<void> {
    const { store, clock, log } = this.#dependencies;
    const { signal } = this.#lifetime;
    if (signal.aborted) return;
    try {
      for (const { id } of await store.bulks.listUnowned(clock.now())) {
        if (!this.#runs.has(id)) this.#runs.set(id, this.#run(id));
      }
    } catch (error) {
      log.warn({ err: error }, 'bulks could not be looked for');
    }
  }

  async #run(id: string): Promise<void> {
    const { log } = this.#dependencies;
    const { signal } = this.#lifetime;
    try {
      await new BulkRun(this.#dependencies, { id, owner: this.#owner, leaseMs }, signal).run();
    } catch (error) {
      log.warn({ err: error, bulk: id }, 'bulk could not go on, trying again');
    } finally {
      this.#runs.delete(id);
    }
  }
}
