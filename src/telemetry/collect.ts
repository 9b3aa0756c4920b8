/** Looks at what the gateway is now, at each scrape: nothing here runs while nobody scrapes. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { SessionId } from '../contract/ids.ts';
import type { PoolUse } from '../store/store.ts';
import type { WebhookStates, WebhookTotals } from '../store/webhook-health.ts';
import type { SupervisorStats } from '../supervisor/stats.ts';
import type { MetricKey } from './metric-table.ts';
import type { MetricRegistry } from './registry.ts';

export interface CountedSession {
  readonly id: SessionId;
  readonly status: string;
  /** Null for one that has no process. */
  readonly child: { readonly memoryBytes: number | null; readonly restarts: number } | null;
}

export interface MetricSources {
  readonly version: string;
  readonly now: () => number;
  readonly stats: () => SupervisorStats;
  /** Rejects when the database does not answer in time. */
  readonly ping: () => Promise<void>;
  readonly sessions: () => Promise<readonly CountedSession[]>;
  readonly webhooks: () => Promise<WebhookTotals>;
  readonly webhookStates: () => Promise<WebhookStates>;
  readonly pool: () => PoolUse;
  readonly spool: () => { readonly usedBytes: number; readonly quotaBytes: number };
  readonly streams: () => number;
  readonly descriptors: () => { readonly open: number | null; readonly most: number | null };
}

const loopResolutionMs = 50;
const quantiles = { '0.5': 50, '0.99': 99, '1': 100 } as const;
const nanosecondsPerSecond = 1e9;
const ofDatabase = ['queueDepth', 'queueAge', 'queueHeld', 'deadLetters'] as const satisfies readonly MetricKey[];
const listsOfDatabase = ['sessions', 'webhooks', 'sessionStatus', 'sessionMemory', 'sessionRestarts'] as const;

export class Collector {
  readonly #registry: MetricRegistry;
  readonly #sources: MetricSources;
  /** Begun by the first scrape: it wakes the process for each of its samples. */
  #loop: ReturnType<typeof monitorEventLoopDelay> | null = null;

  constructor(registry: MetricRegistry, sources: MetricSources) {
    this.#registry = registry;
    this.#sources = sources;
  }

  stop(): void {
    this.#loop?.disable();
  }

  /** Never rejects: what cannot be told is left out. */
  async collect(): Promise<void> {
    const parts = [() => this.#process(), () => this.#supervision(this.#sources.stats()), () => this.#rest()];
    for (const part of parts) {
      try {
        part();
      } catch {
        // What is ending cannot be looked at any more; its last figures stay.
      }
    }
    await this.#database();
  }

  #process(): void {
    const registry = this.#registry;
    const { version, now, descriptors } = this.#sources;
    registry.set('info', 1, { version });
    registry.set('started', Math.round(now() / 1000 - process.uptime()));
    const { user, system } = process.cpuUsage();
    registry.advance('cpu', (user + system) / 1e6);
    registry.set('heap', process.memoryUsage().heapUsed);
    const { open, most } = descriptors();
    registry.set('openDescriptors', open);
    registry.set('maxDescriptors', most);
    const loop = this.#loop;
    if (loop === null) {
      this.#loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
      this.#loop.enable();
      return;
    }
    if (loop.count === 0) return;
    for (const [quantile, percentile] of Object.entries(quantiles)) {
      // The histogram holds the time from sample to sample.
      const delay = loop.percentile(percentile) / nanosecondsPerSecond - loopResolutionMs / 1000;
      registry.set('loopDelay', Math.max(0, delay), { quantile });
    }
    loop.reset();
  }

  #supervision({ children, processes, machine, admission, breaker, gates }: SupervisorStats): void {
    const registry = this.#registry;
    registry.replace(
      'children',
      tally(children, 'state', ({ state }) => state),
    );
    registry.set(
      'childRestarts',
      sum(children, ({ restarts }) => restarts),
    );
    registry.set('childLoopDelay', Math.max(0, ...children.map((child) => child.loopDelayP99Ms ?? 0)) / 1000);
    registry.replace('startsWaiting', [
      [{ gate: 'start' }, gates.waitingToStart],
      [{ gate: 'connect' }, gates.waitingToConnect],
    ]);
    registry.set('startsPaused', breaker.state === 'closed' ? 0 : 1);
    const memory = {
      supervisor: processes.supervisor.privateBytes,
      children: sum(children, ({ memoryBytes }) => memoryBytes ?? 0),
      postgres: processes.postgres?.privateBytes ?? null,
      simulator: processes.simulator?.privateBytes ?? null,
    };
    for (const [kind, bytes] of Object.entries(memory)) registry.set('memory', bytes, { process: kind });
    registry.set('memoryLimit', machine.limitBytes);
    registry.set('memoryFree', machine.freeBytes);
    registry.set('memoryCaps', admission.capsBytes);
    registry.set('memoryBudget', admission.budgetBytes);
    registry.replace('ipcInFlight', [
      [{ direction: 'to_child' }, sum(children, ({ requestsToChild }) => requestsToChild)],
      [{ direction: 'from_child' }, sum(children, ({ requestsOfChild }) => requestsOfChild)],
    ]);
  }

  #rest(): void {
    const registry = this.#registry;
    const { acquired, idle, waiting, size } = this.#sources.pool();
    registry.replace('pool', [
      [{ state: 'in_use' }, acquired],
      [{ state: 'idle' }, idle],
    ]);
    registry.set('poolSize', size);
    registry.set('poolWaiting', waiting);
    const { usedBytes, quotaBytes } = this.#sources.spool();
    registry.set('spool', usedBytes);
    registry.set('spoolQuota', quotaBytes);
    registry.set('streams', this.#sources.streams());
  }

  async #database(): Promise<void> {
    const registry = this.#registry;
    const { ping, sessions, webhooks, webhookStates, now } = this.#sources;
    try {
      await ping();
      const [counted, totals, states] = await Promise.all([sessions(), webhooks(), webhookStates()]);
      registry.set('databaseUp', 1);
      this.#sessions(counted);
      registry.replace(
        'webhooks',
        Object.entries(states).map(([state, count]) => [{ state }, count]),
      );
      registry.set('queueDepth', totals.queueDepth);
      const oldest = totals.oldestPendingAt;
      registry.set('queueAge', oldest === null ? 0 : Math.max(0, (now() - oldest) / 1000));
      registry.set('queueHeld', totals.held);
      registry.set('deadLetters', totals.dead);
    } catch {
      // A figure that is not known any more must not look like one that is.
      registry.set('databaseUp', 0);
      for (const key of ofDatabase) registry.set(key, null);
      for (const key of listsOfDatabase) registry.replace(key, []);
    }
  }

  #sessions(counted: readonly CountedSession[]): void {
    const registry = this.#registry;
    registry.replace(
      'sessions',
      tally(counted, 'status', ({ status }) => status),
    );
    registry.replace(
      'sessionStatus',
      counted.map(({ id, status }) => [{ session: id, status }, 1]),
    );
    registry.replace(
      'sessionMemory',
      counted.flatMap(({ id, child }) =>
        child === null || child.memoryBytes === null ? [] : [[{ session: id }, child.memoryBytes] as const],
      ),
    );
    registry.replace(
      'sessionRestarts',
      counted.flatMap(({ id, child }) => (child === null ? [] : [[{ session: id }, child.restarts] as const])),
    );
  }
}

function tally<Each>(
  all: readonly Each[],
  label: string,
  of: (each: Each) => string,
): readonly (readonly [Readonly<Record<string, string>>, number])[] {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(of(each), (counts.get(of(each)) ?? 0) + 1);
  return [...counts].map(([value, count]) => [{ [label]: value }, count]);
}

const sum = <Each>(all: readonly Each[], of: (each: Each) => number): number =>
  all.reduce((total, each) => total + of(each), 0);
