/** What the operating system tells of processes to everybody on the machine. */
import { readdirSync, readFileSync } from 'node:fs';

export interface VisibleProcess {
  readonly pid: number;
  /** Its command line, arguments apart by spaces. */
  readonly command: string;
  /** Its environment as it was started with; what only its own user can read. */
  readonly environment: string;
}

/** All processes below this one, children of children included. */
export function descendantsOf(pid: number): readonly VisibleProcess[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : '';
    // The command's name stands in brackets and may hold anything.
    const [, parent] = /^\S+ ([0-9]+)/.exec(stat.slice(stat.lastIndexOf(')') + 2)) ?? [];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (each: number): boolean => {
    const parent = parents.get(each);
    return parent !== undefined && parent > 0 && (parent === pid || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow).map(visible);
}

export function visible(pid: number): VisibleProcess {
  const words = (file: string): string => read(`/proc/${pid}/${file}`).replaceAll('\u0000', ' ');
  return { pid, command: words('cmdline'), environment: words('environ') };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
