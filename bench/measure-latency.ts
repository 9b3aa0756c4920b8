/**
 * How long a message is under way, by direction and rate. Out: from the instant at which its HTTP request was due until
 * its stanza is at the simulator. In: from the simulator's push until the webhook's request is at the receiver.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { machineMs } from '../src/clock.ts';
import { arrivedAtMs, contactsOf, loadText, messageIdOf, type LoadTarget } from './load-target.ts';
import { atConstantRate } from './open-loop.ts';
import { percentilesOf, type Percentiles } from './percentiles.ts';
import { cpuMsByKind, rounded } from './processes.ts';

export type Direction = 'out' | 'in';

export interface LatencyPhase {
  readonly direction: Direction;
  readonly perSecond: number;
  readonly count: number;
}

export interface LatencyResult extends LatencyPhase {
  readonly target: LoadTarget['name'];
  readonly ms: Percentiles | null;
  /** Out only: until the HTTP answer, which the gateway gives after WhatsApp's ack and plain Baileys before it. */
  readonly answer_ms: Percentiles | null;
  readonly refused: number;
  /** Neither refused nor arrived. */
  readonly missing: number;
  /** How late the load itself was, which the latencies out include. */
  readonly late_ms: Percentiles | null;
  readonly cpu_ms_per_message: Readonly<Record<string, number>>;
}

const graceMs = 60_000;
const pollMs = 200;
const warmUpPerSecond = 20;
const warmUpRounds = 5;

/** Every session and contact write to each other a few times, so that sessions exist and code is compiled. */
export async function warmUp(target: LoadTarget): Promise<void> {
  const count = Math.max(100, contactsOf(target.sessions) * warmUpRounds);
  const perSecond = Math.max(warmUpPerSecond, target.sessions);
  for (const direction of ['in', 'out'] as const) {
    const { missing, refused } = await measureLatency(target, { direction, perSecond, count });
    if (missing + refused > 0) throw new Error(`${target.name}: ${missing + refused} of the first messages got lost`);
  }
}

export async function measureLatency(target: LoadTarget, phase: LatencyPhase): Promise<LatencyResult> {
  const { direction, perSecond, count } = phase;
  const dueAt = new Map<string, number>();
  const answers: number[] = [];
  let refused = 0;
  const before = target.processes();
  const late = await atConstantRate({ perSecond, count }, (index, dueAtMs) => {
    const message = loadText(index, target.sessions, direction);
    dueAt.set(message.id, dueAtMs);
    const done = direction === 'out' ? target.send(message) : target.simulator.push(message);
    done.then(
      () => answers.push(machineMs() - dueAtMs),
      () => {
        refused += 1;
        dueAt.delete(message.id);
      },
    );
  });
  const deadline = performance.now() + graceMs;
  let found = await passages(target, direction);
  const isComplete = () => answers.length + refused === count && [...dueAt.keys()].every((id) => found.end.has(id));
  while (!isComplete() && performance.now() < deadline) {
    await sleep(pollMs);
    found = await passages(target, direction);
  }
  const cpu = cpuMsByKind(before, target.processes());
  const begins = direction === 'out' ? dueAt : found.begin;
  const samples = [...dueAt.keys()].flatMap((id) => {
    const [begin, end] = [begins.get(id), found.end.get(id)];
    return begin === undefined || end === undefined ? [] : [end - begin];
  });
  return {
    ...phase,
    target: target.name,
    ms: percentilesOf(samples),
    answer_ms: direction === 'out' ? percentilesOf(answers) : null,
    refused,
    missing: dueAt.size - samples.length,
    late_ms: percentilesOf(late),
    cpu_ms_per_message: perMessage(cpu, count),
  };
}

/** Message id → when it set out, as the simulator knows it, and when it was there. */
async function passages(target: LoadTarget, direction: Direction) {
  if (direction === 'out')
    return { begin: new Map<string, number>(), end: await target.simulator.times('from_client') };
  const end = new Map<string, number>();
  for (const request of target.receiver.requests) {
    const id = messageIdOf(request);
    if (id !== null && !end.has(id)) end.set(id, arrivedAtMs(request));
  }
  return { begin: await target.simulator.times('to_client'), end };
}

export function perMessage(cpuMs: ReturnType<typeof cpuMsByKind>, count: number): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(cpuMs).map(([kind, ms]) => [kind, rounded(ms / Math.max(1, count))]));
}
