/** What processes used over the last hour, for charts: sampled in memory, forgotten with the gateway. */
import type { Clock } from '../clock.ts';
import type { SessionId } from '../contract/ids.ts';
import type { Hosting } from './hosting.ts';
import { cpuTimeMs, privateMemoryBytes, processFamily } from './proc.ts';
import type { OtherProcesses } from './stats.ts';
import { TimeSeries, type Point } from './time-series.ts';

export const vitalsIntervalMs = 15_000;
const keptPoints = 240;
/** A session that has not run for so long has no line worth drawing. */
const forgottenMs = vitalsIntervalMs * keptPoints;

const sessionFields = ['memoryBytes', 'cpuPercent', 'loopDelayMs'] as const;
const fleetFields = ['supervisorBytes', 'childrenBytes', 'postgresBytes', 'simulatorBytes', 'connected'] as const;

export type SessionVitals = Point<(typeof sessionFields)[number]>;
export type FleetVitals = Point<(typeof fleetFields)[number]>;

interface VitalsOptions {
  readonly hosting: Pick<Hosting, 'hosts'>;
  readonly otherProcesses: () => OtherProcesses;
  readonly clock: Clock;
}

interface CpuReading {
  readonly usedMs: number;
  readonly at: number;
}

export class VitalsHistory {
  readonly #options: VitalsOptions;
  readonly #sessions = new Map<SessionId, TimeSeries<(typeof sessionFields)[number]>>();
  readonly #fleet = new TimeSeries(fleetFields, keptPoints);
  #cpu: ReadonlyMap<number, CpuReading> = new Map();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: VitalsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.sample(), vitalsIntervalMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Oldest first; empty for a session that has not run lately. Sessions of one process share its figures. */
  ofSession(id: SessionId): readonly SessionVitals[] {
    return this.#sessions.get(id)?.read() ?? [];
  }

  ofFleet(): readonly FleetVitals[] {
    return this.#fleet.read();
  }

  /** Takes one look at every process. */
  sample(): void {
    const { hosting, otherProcesses, clock } = this.#options;
    const now = clock.now();
    const cpu = new Map<number, CpuReading>();
    let childrenBytes = 0;
    let connected = 0;
    for (const host of hosting.hosts) {
      const { pid, memoryBytes, vitals } = host.child;
      const cpuPercent = pid === null ? null : this.#cpuPercent(pid, cpu);
      childrenBytes += memoryBytes ?? 0;
      for (const session of host.sessions.values()) {
        if (session.isConnected) connected += 1;
        const values = { memoryBytes, cpuPercent, loopDelayMs: vitals?.loopDelayP99Ms ?? null };
        this.#seriesOf(session.id).add(now, values);
      }
    }
    const { postgres, simulator } = otherProcesses();
    this.#fleet.add(now, {
      supervisorBytes: privateMemoryBytes(process.pid),
      childrenBytes,
      postgresBytes: familyBytes(postgres),
      simulatorBytes: familyBytes(simulator),
      connected,
    });
    this.#cpu = cpu;
    for (const [id, series] of this.#sessions) {
      if (now - (series.lastAt ?? 0) > forgottenMs) this.#sessions.delete(id);
    }
  }

  #seriesOf(id: SessionId): TimeSeries<(typeof sessionFields)[number]> {
    const known = this.#sessions.get(id) ?? new TimeSeries(sessionFields, keptPoints);
    this.#sessions.set(id, known);
    return known;
  }

  /** Of one core, since the last look; null at the first. */
  #cpuPercent(pid: number, readings: Map<number, CpuReading>): number | null {
    const usedMs = cpuTimeMs(pid);
    if (usedMs === null) return null;
    const at = this.#options.clock.monotonic();
    readings.set(pid, { usedMs, at });
    const before = this.#cpu.get(pid);
    if (before === undefined || usedMs < before.usedMs || at <= before.at) return null;
    return ((usedMs - before.usedMs) / (at - before.at)) * 100;
  }
}

function familyBytes(pid: number | null): number | null {
  if (pid === null) return null;
  return processFamily(pid).reduce((sum, each) => sum + (privateMemoryBytes(each) ?? 0), 0);
}
