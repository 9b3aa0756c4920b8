/** What Linux tells of a tree of processes: kinds, memory and CPU. PSS shares a page among those who map it. */
import { readdirSync, readFileSync } from 'node:fs';

export type Kind = 'supervisor' | 'child' | 'postgres' | 'simulator' | 'baseline' | 'other';

export interface ProcessFacts {
  readonly pid: number;
  readonly kind: Kind;
  readonly pssMb: number;
  /** Private pages. */
  readonly ussMb: number;
  readonly cpuMs: number;
}

const clockTickMs = 10;
const kilobyte = 1024;
const megabyte = kilobyte * kilobyte;

/** The process `root`, which is of this kind, and all that descend from it. */
export function processTree(root: number, rootKind: Kind): readonly ProcessFacts[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? statOf(pid) : null;
    if (stat !== null) parents.set(pid, stat.parent);
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow).flatMap((pid) => {
    const facts = factsOf(pid, pid === root ? rootKind : null);
    return facts === null ? [] : [facts];
  });
}

function factsOf(pid: number, knownKind: Kind | null): ProcessFacts | null {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  const stat = statOf(pid);
  if (rollup === null || stat === null) return null;
  const kilobytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
  return {
    pid,
    kind: knownKind ?? kindOf(read(`/proc/${pid}/cmdline`) ?? ''),
    pssMb: (kilobytes('Pss') * kilobyte) / megabyte,
    ussMb: ((kilobytes('Private_Dirty') + kilobytes('Private_Clean')) * kilobyte) / megabyte,
    cpuMs: stat.cpuMs,
  };
}

function kindOf(command: string): Kind {
  if (command.includes('simulator')) return 'simulator';
  if (/postgres/.test(command)) return 'postgres';
  return /child/.test(command) ? 'child' : 'other';
}

function statOf(pid: number): { readonly parent: number; readonly cpuMs: number } | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // Fields behind the command, which may hold anything: state, ppid, …, utime (14) and stime (15) of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * clockTickMs };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export interface MemoryByKind {
  readonly children: {
    readonly count: number;
    readonly pss_mb_per_child: number;
    readonly uss_mb_per_child: number;
    readonly pss_mb_total: number;
  };
  readonly supervisor_pss_mb: number;
  readonly postgres_pss_mb: number;
  /** All of the gateway; the simulator is none of it. */
  readonly total_pss_mb: number;
  readonly simulator_pss_mb: number;
}

/** `childKind` are the processes that host sessions. */
export function memoryByKind(processes: readonly ProcessFacts[], childKind: Kind = 'child'): MemoryByKind {
  const sum = (kind: Kind, of: 'pssMb' | 'ussMb' = 'pssMb'): number =>
    processes.filter((each) => each.kind === kind).reduce((total, each) => total + each[of], 0);
  const count = processes.filter(({ kind }) => kind === childKind).length;
  const simulator = sum('simulator');
  return {
    children: {
      count,
      pss_mb_per_child: rounded(sum(childKind) / Math.max(1, count)),
      uss_mb_per_child: rounded(sum(childKind, 'ussMb') / Math.max(1, count)),
      pss_mb_total: rounded(sum(childKind)),
    },
    supervisor_pss_mb: rounded(sum('supervisor')),
    postgres_pss_mb: rounded(sum('postgres')),
    total_pss_mb: rounded(processes.reduce((total, { pssMb }) => total + pssMb, 0) - simulator),
    simulator_pss_mb: rounded(simulator),
  };
}

export function cpuMsPerChild(processes: readonly ProcessFacts[]): number {
  const children = processes.filter(({ kind }) => kind === 'child');
  return Math.round(children.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / Math.max(1, children.length));
}

/** CPU that processes took between two looks, by kind, in milliseconds. */
export function cpuMsByKind(
  before: readonly ProcessFacts[],
  after: readonly ProcessFacts[],
): Readonly<Partial<Record<Kind, number>>> {
  const was = new Map(before.map(({ pid, cpuMs }) => [pid, cpuMs]));
  const used: Partial<Record<Kind, number>> = {};
  for (const { pid, kind, cpuMs } of after) used[kind] = (used[kind] ?? 0) + cpuMs - (was.get(pid) ?? cpuMs);
  return used;
}

/** The same of a gateway in percent of one core. */
export function cpuPercents(
  before: readonly ProcessFacts[],
  after: readonly ProcessFacts[],
  elapsedMs: number,
): Readonly<Record<string, number>> {
  const used = cpuMsByKind(before, after);
  const percent = (kinds: readonly Kind[]): number =>
    rounded((kinds.reduce((total, kind) => total + (used[kind] ?? 0), 0) / elapsedMs) * 100);
  return {
    all: percent(['supervisor', 'child', 'postgres', 'other']),
    supervisor: percent(['supervisor']),
    children: percent(['child']),
    postgres: percent(['postgres']),
  };
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
