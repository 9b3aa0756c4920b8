/** What the gateway needs in order to work, and whether it is there. */
import type { ReadinessCheck } from './api/probes.ts';
import type { Clock } from './clock.ts';
import { toWardenError } from './contract/errors.ts';
import type { Store } from './store/store.ts';
import type { Supervisor } from './supervisor/supervisor.ts';

const pingTimeoutMs = 1000;
const pingCacheMs = 2000;

export class Readiness {
  readonly #clock: Clock;
  #phase: 'starting' | 'serving' | 'stopping' = 'starting';
  /** Why the database is not there yet. */
  #waitingFor = 'The gateway is starting.';
  #parts: { readonly store: Store; readonly supervisor: Supervisor } | null = null;
  #ping: { readonly at: number; readonly problem: Promise<string | null> } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Says what the start waits for. */
  waitsFor(problem: string): void {
    this.#waitingFor = problem;
  }

  serves(parts: { readonly store: Store; readonly supervisor: Supervisor }): void {
    this.#parts = parts;
    this.#phase = 'serving';
  }

  stops(): void {
    this.#phase = 'stopping';
  }

  get isStopping(): boolean {
    return this.#phase === 'stopping';
  }

  readonly check = async (): Promise<readonly ReadinessCheck[]> => {
    const parts = this.#parts;
    if (this.#phase === 'stopping') return [{ name: 'gateway', problem: 'The gateway is shutting down.' }];
    if (parts === null) return [{ name: 'database', problem: this.#waitingFor }];
    const { state, pausedMs } = parts.supervisor.breaker;
    const paused = `Too many processes ended at once; starts are paused${pausedMs === null ? '' : ` for ${Math.ceil(pausedMs / 1000)} s`}.`;
    return [
      { name: 'gateway', problem: null },
      { name: 'database', problem: await this.#database(parts.store) },
      { name: 'starts', problem: state === 'closed' ? null : paused },
    ];
  };

  #database(store: Store): Promise<string | null> {
    const now = this.#clock.monotonic();
    if (this.#ping !== null && now - this.#ping.at < pingCacheMs) return this.#ping.problem;
    const problem = store.ping(pingTimeoutMs).then(
      () => null,
      (error: unknown) => toWardenError(error).message,
    );
    this.#ping = { at: now, problem };
    return problem;
  }
}
