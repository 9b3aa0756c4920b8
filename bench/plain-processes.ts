/** Starts processes of plain Baileys, a few at a time, and ends them. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { trusted } from '../src/contract/trusted.ts';

const startsAtATime = 2;

export interface PlainProcess {
  readonly process: ChildProcess;
  /** What it said when it was connected. */
  readonly announcement: unknown;
}

/** One process of the program `entry` for each request, which it gets as JSON; answers when all are connected. */
export async function startPlainProcesses(
  entry: string,
  requests: readonly unknown[],
): Promise<readonly PlainProcess[]> {
  const waiting = [...requests.entries()];
  const started: ChildProcess[] = [];
  const announced: PlainProcess[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, request] = next;
      const child = fork(entry, [JSON.stringify(request)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      started.push(child);
      const gone = once(child, 'exit').then(() => Promise.reject(new Error('a plain client ended')));
      // What `once` answers is the arguments of the event.
      const [announcement] = trusted<readonly unknown[]>(await Promise.race([once(child, 'message'), gone]));
      gone.catch(() => undefined);
      announced[index] = { process: child, announcement };
    }
  };
  try {
    await Promise.all(Array.from({ length: startsAtATime }, work));
    return announced;
  } catch (error) {
    for (const child of started) child.kill('SIGKILL');
    throw error;
  }
}

export function endPlainProcesses(processes: readonly PlainProcess[]): void {
  for (const each of processes) each.process.kill('SIGKILL');
}
