/** What the supervisor knows of its processes, for people who run it. */
import { admissionBudget } from './admission.ts';
import type { BreakerView } from './start-breaker.ts';
import type { ChildView } from './child-host.ts';
import type { Hosting } from './hosting.ts';
import { machineMemory, type MachineMemory } from './machine-memory.ts';
import { privateMemoryBytes, processFamily } from './proc.ts';
import type { SupervisorSettings } from './settings.ts';

export interface ChildStats extends ChildView {
  readonly id: string;
  readonly isSandbox: boolean;
  readonly isIsolated: boolean;
  readonly sessionIds: readonly string[];
  readonly connectedSessions: number;
  /** As last weighed. */
  readonly pssBytes: number | null;
  readonly heapBytes: number | null;
  readonly externalBytes: number | null;
  readonly loopDelayP99Ms: number | null;
  /** Requests without an answer: ours to the child, and the child's to us as it told last. */
  readonly requestsToChild: number;
  readonly requestsOfChild: number;
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
  /** As last weighed. */
  readonly pssBytes: number | null;
}

const megabyte = 1_048_576;

/** Process ids of what else belongs to this gateway; null for what does not run here. */
export interface OtherProcesses {
  readonly postgres: number | null;
  readonly simulator: number | null;
}

/** Finds out the proportional sizes that the stats tell, unless they are known well enough. */
export async function weigh({ hosts, shares }: Hosting, { postgres, simulator }: OtherProcesses): Promise<void> {
  const children = hosts.flatMap(({ child }) => child.pid ?? []);
  const others = [postgres, simulator].flatMap((pid) => (pid === null ? [] : processFamily(pid)));
  await shares.refresh([process.pid, ...children, ...others]);
}

export function readStats(hosting: Hosting, settings: SupervisorSettings, others: OtherProcesses): SupervisorStats {
  const { admission, startConcurrency, connectRatePerSecond } = settings;
  const facts = hosting.admission;
  const { shares } = hosting;
  const memoryOf = (pids: readonly number[]): ProcessMemory => ({
    processes: pids.length,
    privateBytes: sum(pids.map(privateMemoryBytes)),
    pssBytes: sum(pids.map((pid) => shares.of(pid))),
  });
  return {
    children: hosting.hosts.map((host) => {
      const { vitals, pid } = host.child;
      const sessions = [...host.sessions.values()];
      return {
        ...host.view(),
        id: host.id,
        isSandbox: host.isSandbox,
        isIsolated: host.isIsolated,
        sessionIds: sessions.map(({ id }) => id),
        connectedSessions: sessions.filter(({ isConnected }) => isConnected).length,
        pssBytes: pid === null ? null : shares.of(pid),
        heapBytes: vitals?.heapUsedBytes ?? null,
        externalBytes: vitals?.externalBytes ?? null,
        loopDelayP99Ms: vitals?.loopDelayP99Ms ?? null,
        requestsToChild: host.child.channel?.inFlight ?? 0,
        requestsOfChild: vitals?.inFlight ?? 0,
      };
    }),
    processes: {
      supervisor: memoryOf([process.pid]),
      postgres: others.postgres === null ? null : memoryOf(processFamily(others.postgres)),
      simulator: others.simulator === null ? null : memoryOf(processFamily(others.simulator)),
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

const sum = (values: readonly (number | null)[]): number | null =>
  values.every((value) => value === null) ? null : values.reduce<number>((total, value) => total + (value ?? 0), 0);
