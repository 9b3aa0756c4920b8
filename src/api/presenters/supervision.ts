/** What leaves the process of restart records and of the gateway's own state. Pure. */
import type { Principal } from '../auth/principal.ts';
import type { Result } from '../../contract/index.ts';
import type { ChildExitRow } from '../../store/store.ts';
import type { SupervisorStats } from '../../supervisor/stats.ts';
import { unixSecondsOf } from './session.ts';

type Exit = Result<'listChildExits'>['exits'][number];
type Memory = Result<'getStats'>['processes']['supervisor'];

export function presentExit(row: ChildExitRow): Exit {
  const { culprits } = row;
  return {
    at: unixSecondsOf(row.at),
    cause: row.cause,
    detail: row.detail,
    pid: row.pid,
    exit_code: row.code,
    signal: row.signal,
    uptime_ms: row.uptimeMs,
    memory_cap_bytes: row.memoryCapBytes,
    memory: row.memory.map((sample) => ({
      at: unixSecondsOf(sample.at),
      private_bytes: sample.privateBytes,
      heap_bytes: sample.heapBytes,
      external_bytes: sample.externalBytes,
    })),
    growth: row.growth,
    stderr: row.stderr,
    action: row.action,
    delay_ms: row.delayMs === null ? null : Math.round(row.delayMs),
    culprits: culprits === null ? null : { sessions: [...culprits.sessions], grounds: culprits.grounds },
    moved_to_own_child: row.movedToOwnChild,
    back_at: row.backAt === null ? null : unixSecondsOf(row.backAt),
  };
}

/** The same for who may not see all sessions: others of the process, which may be somebody else's, are not named. */
export function presentExitTo({ sessions }: Principal): (row: ChildExitRow) => Exit {
  return (row) => {
    const exit = presentExit(row);
    if (sessions === 'all' || exit.culprits === null) return exit;
    const own = new Set<string>(sessions);
    return {
      ...exit,
      culprits: { ...exit.culprits, sessions: exit.culprits.sessions.filter((each) => own.has(each)) },
    };
  };
}

export function presentStats(stats: SupervisorStats): Result<'getStats'> {
  const { children, processes, machine, admission, breaker, gates } = stats;
  const running = children.filter(({ pid }) => pid !== null);
  const ofChildren: Memory = {
    processes: running.length,
    private_bytes: sum(running.map(({ memoryBytes }) => memoryBytes)),
    pss_bytes: sum(running.map(({ pssBytes }) => pssBytes)),
  };
  const supervisor = presentMemory(processes.supervisor);
  const postgres = processes.postgres === null ? null : presentMemory(processes.postgres);
  const simulator = processes.simulator === null ? null : presentMemory(processes.simulator);
  const all = [
    supervisor,
    ofChildren,
    ...(postgres === null ? [] : [postgres]),
    ...(simulator === null ? [] : [simulator]),
  ];
  return {
    sessions: {
      hosted: children.reduce((total, { sessionIds }) => total + sessionIds.length, 0),
      connected: children.reduce((total, { connectedSessions }) => total + connectedSessions, 0),
    },
    processes: {
      supervisor,
      children: ofChildren,
      postgres,
      simulator,
      total: {
        processes: all.reduce((total, each) => total + each.processes, 0),
        private_bytes: sum(all.map((each) => each.private_bytes)),
        pss_bytes: sum(all.map((each) => each.pss_bytes)),
      },
    },
    children: children.map((child) => ({
      id: child.id,
      pid: child.pid,
      state: child.state,
      sandbox: child.isSandbox,
      isolated: child.isIsolated,
      sessions: [...child.sessionIds],
      memory_bytes: child.memoryBytes,
      memory_cap_bytes: child.capBytes,
      pss_bytes: child.pssBytes,
      heap_bytes: child.heapBytes,
      external_bytes: child.externalBytes,
      loop_delay_p99_ms: child.loopDelayP99Ms,
      restarts: child.restarts,
    })),
    machine: {
      limit_bytes: machine.limitBytes,
      limited_by: machine.source,
      total_bytes: machine.totalBytes,
      free_bytes: machine.freeBytes,
    },
    admission: {
      caps_bytes: admission.capsBytes,
      budget_bytes: admission.budgetBytes,
      free_bytes: admission.freeBytes,
      overcommit: admission.overcommit,
      reserve_bytes: admission.reserveBytes,
      max_sessions: admission.maxSessions === 0 ? null : admission.maxSessions,
    },
    breaker: {
      state: breaker.state,
      deaths_in_window: breaker.deathsInWindow,
      paused_for_ms: breaker.pausedMs === null ? null : Math.round(breaker.pausedMs),
      trips: breaker.trips,
    },
    gates: {
      starting: gates.starting,
      waiting_to_start: gates.waitingToStart,
      waiting_to_connect: gates.waitingToConnect,
      start_concurrency: gates.startConcurrency,
      connect_rate: gates.connectRatePerSecond,
    },
  };
}

function presentMemory(memory: SupervisorStats['processes']['supervisor']): Memory {
  return { processes: memory.processes, private_bytes: memory.privateBytes, pss_bytes: memory.pssBytes };
}

const sum = (values: readonly (number | null)[]): number | null =>
  values.length > 0 && values.every((value) => value === null)
    ? null
    : values.reduce<number>((total, value) => total + (value ?? 0), 0);
