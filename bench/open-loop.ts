/**
 * Load at a constant rate, whatever becomes of it: nobody waits for an answer before the next one is due, and what is
 * measured counts from the instant at which it was due (no coordinated omission).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { machineMs } from '../src/clock.ts';

interface Load {
  readonly perSecond: number;
  readonly count: number;
}

/** Calls `begin` with the number of the message and the instant at which it is due; answers how late each call was. */
export async function atConstantRate(
  { perSecond, count }: Load,
  begin: (index: number, dueAtMs: number) => void,
): Promise<readonly number[]> {
  const startedAtMs = machineMs();
  const late: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const dueAtMs = startedAtMs + (index * 1000) / perSecond;
    const waitMs = dueAtMs - machineMs();
    if (waitMs > 0) await sleep(waitMs);
    late.push(machineMs() - dueAtMs);
    begin(index, dueAtMs);
  }
  return late;
}
