/** Which of several sessions in one child is likely to have brought it down. Pure. */
import type { ExitCause } from './exit-cause.ts';

export interface Suspect {
  readonly session: string;
  /** Requests to it that were under way. */
  readonly inFlight: number;
  /** What it has received and told since the child was last well: a measure of its work. */
  readonly work: number;
}

export interface Accusation {
  /** Most likely first; empty when nothing points at anybody. */
  readonly sessions: readonly string[];
  /** On what it rests, for people. */
  readonly grounds: string;
}

/** Causes for which a session can be to blame; the others come from outside. */
const attributable: ReadonlySet<ExitCause> = new Set<ExitCause>([
  'watchdog',
  'memory',
  'heap_oom',
  'kernel_oom',
  'bug',
  'clean_unexpected',
]);
const majority = 0.5;

export function accuse(cause: ExitCause, suspects: readonly Suspect[]): Accusation | null {
  if (!attributable.has(cause) || suspects.length === 0) return null;
  const [only] = suspects;
  if (only !== undefined && suspects.length === 1) {
    return { sessions: [only.session], grounds: 'It is the only session of its process.' };
  }
  const busy = suspects.filter(({ inFlight }) => inFlight > 0).toSorted((a, b) => b.inFlight - a.inFlight);
  const total = suspects.reduce((sum, { work }) => sum + work, 0);
  const leading = suspects.toSorted((a, b) => b.work - a.work)[0];
  const isLeading = leading !== undefined && total > 0 && leading.work / total > majority;
  const isAboutMemory = cause === 'memory' || cause === 'heap_oom' || cause === 'kernel_oom';
  if (isAboutMemory && isLeading) return byWork(leading, total);
  const [first] = busy;
  if (first !== undefined && busy.length === 1) {
    return { sessions: [first.session], grounds: 'It was the only session with a request under way.' };
  }
  if (busy.length > 1) {
    return { sessions: busy.map(({ session }) => session), grounds: 'They had requests under way; it is one of them.' };
  }
  if (isLeading) return byWork(leading, total);
  return { sessions: [], grounds: 'No session stands out.' };
}

function byWork(leading: Suspect, total: number): Accusation {
  const percent = Math.round((leading.work / total) * 100);
  return { sessions: [leading.session], grounds: `It did ${percent} % of the work of its process.` };
}

const troubleWindowMs = 15 * 60_000;
const troublesToMove = 2;

/** The times of a session's troubles with another one added, and whether it has earned a child of its own. */
export function addTrouble(
  troubles: readonly number[],
  now: number,
): { readonly troubles: readonly number[]; readonly isRepeated: boolean } {
  const recent = [...troubles.filter((at) => now - at < troubleWindowMs), now];
  return { troubles: recent, isRepeated: recent.length >= troublesToMove };
}
