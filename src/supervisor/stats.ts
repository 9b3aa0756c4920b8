/** What the supervisor knows of its processes, for people who run it. */
import { admissionBudget } from './admission.ts';
import type { BreakerView } from './start-breaker.ts';
import type { ChildView } from './child-host.ts';
import type { Hosting } from './hosting.ts';
import { machineMemory, type MachineMemory } from './machine-memory.ts';
import { privateMemoryBytes, processFamily, proportionalMemoryBytes } from './proc.ts';
import type { SupervisorSettings } from './settings.ts';

export interface ChildStats extends ChildView {
  readonly id: string;
  readonly isSandbox: boolean;
  readonly isIsolated: boolean;
  readonly sessionIds: readonly string[];
  readonly connectedSessions: number;
  readonly pssBytes: number | null;
  readonly heapBytes: number | null;
  readonly externalBytes: number | null;
  readonly loopDelayP99Ms: number | null;
}

export interface SupervisorStats {
  readonly children: readonly ChildStats[];
  readonly processes: {
    readonly supervisor: ProcessMemory;
    /** Null for what does not run here. */
    readonly postgres: ProcessMemory | null;
    readonly simulator: ProcessMemory | null;
  };
  readonly machine: MachineMemory;
  readonly admission: {
    readonly capsBytes: number;
    readonly budgetBytes: number;
    readonly freeBytes: number;
    readonly overcommit: number;
    readonly reserveBytes: number;
    readonly maxSessions: number;
  };
  readonly breaker: BreakerView;
  readonly gates: Hosting['gates'] & { readonly startConcurrency: number; readonly connectRatePerSecond: number };
}

export interface ProcessMemory {
  readonly processes: number;
  /** Null where the system does not tell. */
  readonly privateBytes: number | null;
  readonly pssBytes: number | null;
}

const megabyte = 1_048_576;

/** Process ids of what else belongs to this gateway; null for what does not run here. */
export interface OtherProcesses {
  readonly postgres: number | null;
  readonly simulator: number | null;
}

export function readStats(hosting: Hosting, settings: SupervisorSettings, others: OtherProcesses): SupervisorStats {
  const { admission, startConcurrency, connectRatePerSecond } = settings;
  const facts = hosting.admission;
  return {
    children: hosting.hosts.map((host) => {
      const { vitals, pssBytes } = host.child;
      const sessions = [...host.sessions.values()];
      return {
        ...host.view(),
        id: host.id,
        isSandbox: host.isSandbox,
        isIsolated: host.isIsolated,
        sessionIds: sessions.map(({ id }) => id),
        connectedSessions: sessions.filter(({ isConnected }) => isConnected).length,
        pssBytes,
        heapBytes: vitals?.heapUsedBytes ?? null,
        externalBytes: vitals?.externalBytes ?? null,
        loopDelayP99Ms: vitals?.loopDelayP99Ms ?? null,
      };
    }),
    processes: {
      supervisor: memoryOfProcess(process.pid, false),
      postgres: others.postgres === null ? null : memoryOfProcess(others.postgres, true),
      simulator: others.simulator === null ? null : memoryOfProcess(others.simulator, true),
    },
    machine: machineMemory(),
    admission: {
      capsBytes: facts.capsBytes,
      ...admissionBudget(facts, admission),
      overcommit: admission.overcommit,
      reserveBytes: admission.reserveMb * megabyte,
      maxSessions: admission.maxSessions,
    },
    breaker: hosting.breaker,
    gates: { ...hosting.gates, startConcurrency, connectRatePerSecond },
  };
}

/** The memory of a process, with all that descend from it when asked for. */
function memoryOfProcess(pid: number, withDescendants: boolean): ProcessMemory {
  const pids = withDescendants ? processFamily(pid) : [pid];
  return {
    processes: pids.length,
    privateBytes: sum(pids.map(privateMemoryBytes)),
    pssBytes: sum(pids.map(proportionalMemoryBytes)),
  };
}

const sum = (values: readonly (number | null)[]): number | null =>
  values.every((value) => value === null) ? null : values.reduce<number>((total, value) => total + (value ?? 0), 0);
