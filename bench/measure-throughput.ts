/** How many messages pass in a second when so many are always under way, and what CPU each costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { machineMs } from '../src/clock.ts';
import type { HttpReceiver } from '../test/support/http-receiver.ts';
import { loadText, messageIdOf, type LoadTarget, type LoadText } from './load-target.ts';
import { perMessage, type Direction } from './measure-latency.ts';
import { cpuMsByKind, rounded } from './processes.ts';

export interface ThroughputPhase {
  readonly direction: Direction;
  readonly seconds: number;
  /** Messages under way for each session. */
  readonly inFlight: number;
}

export interface ThroughputResult extends ThroughputPhase {
  readonly target: LoadTarget['name'];
  readonly sessions: number;
  readonly messages: number;
  readonly per_second: number;
  readonly refused: number;
  readonly cpu_ms_per_message: Readonly<Record<string, number>>;
}

const arrivalTimeoutMs = 30_000;
const pollMs = 200;

/**
 * Out, a message makes room for the next when its request is answered, and counts when its stanza is at the simulator;
 * in, both when the webhook's request has come. Only what has come within the time counts.
 */
export async function measureThroughput(target: LoadTarget, phase: ThroughputPhase): Promise<ThroughputResult> {
  const { direction, seconds, inFlight } = phase;
  const sentIds: string[] = [];
  let count = 0;
  let refused = 0;
  let next = 0;
  using arrivals = new Arrivals(target.receiver);
  const pass = async (message: LoadText): Promise<void> => {
    if (direction === 'out') {
      await target.send(message);
      sentIds.push(message.id);
      return;
    }
    await Promise.all([arrivals.of(message.id), target.simulator.push(message)]);
    if (performance.now() < end) count += 1;
  };
  const before = target.processes();
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  const endAtMs = machineMs() + seconds * 1000;
  const work = async (session: number): Promise<void> => {
    while (performance.now() < end) {
      const turn = next++;
      const message = { ...loadText(turn * target.sessions + session, target.sessions, direction), session };
      try {
        await pass(message);
      } catch {
        refused += 1;
      }
    }
  };
  const workers = Array.from({ length: target.sessions * inFlight }, (_, index) => work(index % target.sessions));
  await Promise.all(workers);
  const elapsedMs = performance.now() - startedAt;
  const cpu = cpuMsByKind(before, target.processes());
  if (direction === 'out') count = await countArrived(target, sentIds, endAtMs);
  return {
    ...phase,
    target: target.name,
    sessions: target.sessions,
    messages: count,
    per_second: rounded(count / seconds),
    refused,
    cpu_ms_per_message: perMessage(cpu, (count * elapsedMs) / (seconds * 1000)),
  };
}

/** Messages of these that were at the simulator by then. Throws when one has not come at all. */
async function countArrived(target: LoadTarget, ids: readonly string[], endAtMs: number): Promise<number> {
  const deadline = performance.now() + arrivalTimeoutMs;
  for (;;) {
    const seen = await target.simulator.times('from_client');
    const lost = ids.filter((id) => !seen.has(id)).length;
    if (lost === 0) return ids.filter((id) => (seen.get(id) ?? endAtMs) < endAtMs).length;
    if (performance.now() > deadline) throw new Error(`${target.name}: ${lost} answered messages never came`);
    await sleep(pollMs);
  }
}

/** Tells when the receiver has got a message. */
class Arrivals {
  readonly #receiver: HttpReceiver;
  readonly #answerBefore: HttpReceiver['answer'];
  readonly #waiting = new Map<string, () => void>();

  constructor(receiver: HttpReceiver) {
    this.#receiver = receiver;
    this.#answerBefore = receiver.answer;
    receiver.answer = (response, request) => {
      response.writeHead(200).end();
      const id = messageIdOf(request);
      if (id !== null) this.#waiting.get(id)?.();
    };
  }

  /** Rejects when it does not come in time. */
  async of(id: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error('a message did not arrive')), arrivalTimeoutMs);
    this.#waiting.set(id, resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  [Symbol.dispose](): void {
    this.#receiver.answer = this.#answerBefore;
  }
}
