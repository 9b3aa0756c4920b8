/** What Linux tells of processes, null where it tells nothing, as on other systems; and their priorities. The only reader of /proc. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';

/** Private memory of a process, in RAM and swapped out: what a cap is measured by. Bytes. */
export function privateMemoryBytes(pid: number): number | null {
  const status = read(`/proc/${pid}/status`);
  if (status === null) return null;
  const anonymous = kilobytes(status, 'RssAnon');
  return anonymous === null ? null : (anonymous + (kilobytes(status, 'VmSwap') ?? 0)) * 1024;
}

/** The fair share of a process in all memory that it uses, shared pages divided by their users. Bytes. */
export async function proportionalMemoryBytes(pid: number): Promise<number | null> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => null);
  const kb = rollup === null ? null : kilobytes(rollup, 'Pss');
  return kb === null ? null : kb * 1024;
}

/** `sysconf(_SC_CLK_TCK)` of every Linux that runs Node: proc(5) counts CPU time in hundredths of a second. */
const clockTickMs = 10;

/** CPU time that a process has used since its start, milliseconds. */
export function cpuTimeMs(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // Fields 14 and 15 of proc(5), counted behind the command, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * clockTickMs;
}

/** A process and all that descend from it. */
export function processFamily(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`)?.trim().split(/\s+/) ?? [];
  const pids = children.filter((text) => text !== '').map(Number);
  return [pid, ...pids.flatMap(processFamily)];
}

/** File descriptors that this process has open. */
export function openDescriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}

/** How many it may open: the soft limit of RLIMIT_NOFILE, which Node raises to the hard one when it starts. */
export function descriptorLimit(): number | null {
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  if (limit === undefined) return null;
  return limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit);
}

/** Nine to one against a process of ordinary priority that wants the same core (sched(7)). */
const childNiceness = 10;

/**
 * A process that burns CPU must not take it from the API and the database. Whoever lowers a priority may not raise it
 * again, so that this is for good; it costs nothing while there is CPU for all. Threads inherit it that are made later.
 */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, childNiceness);
  } catch {
    // The process is gone already.
  }
}

const childOomScore = '500';

/** When memory runs out, the kernel is to end a child and not the supervisor: anybody may raise a score. */
export function raiseOomScore(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, childOomScore);
  } catch {
    // The process is gone already, or this is no Linux.
  }
}

/** A process of the operating system that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the machine's boot and the start of the process. */
  readonly startTime: string;
  readonly bootId: string;
}

export function identify(pid: number): ProcessIdentity | null {
  const stat = read(`/proc/${pid}/stat`);
  const bootId = read('/proc/sys/kernel/random/boot_id');
  if (stat === null || bootId === null) return null;
  // The command, in parentheses, may hold anything: fields are counted behind it. The start time is field 22 of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (startTime === undefined || state === 'Z' || state === 'X') return null;
  return { pid, startTime, bootId: bootId.trim() };
}

/** Whether that very process still runs; a zombie does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== null && now.startTime === identity.startTime && now.bootId === identity.bootId;
}

function kilobytes(status: string, field: string): number | null {
  const digits = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return digits === undefined ? null : Number(digits);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
