/** One gateway on a fixture: how fast its links open, what it weighs, what it costs to idle, what traffic leaves behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProgram } from '../src/gateway.ts';
import type { Fixture } from './fixtures.ts';
import { GatewayUnderBench } from './gateway-under-bench.ts';
import { cpuMsPerChild, cpuPercents, memoryByKind, rounded, type MemoryByKind } from './processes.ts';
import { say } from './report.ts';

export interface MeasureOptions {
  readonly fixture: Fixture;
  readonly perChild: number;
  readonly children?: ChildProgram;
  /** From the last open link to the first look at memory. */
  readonly settleMs: number;
  /** How long CPU is watched; 0 leaves it out. */
  readonly idleMs: number;
  /** Messages that each session receives; a quarter of them is answered. 0 leaves traffic out. */
  readonly messages: number;
}

export interface GatewayMeasurement {
  readonly idle: MemoryByKind;
  readonly after_traffic: MemoryByKind | null;
  /** Of a child, from its start to the first look at memory. */
  readonly cpu_ms_per_child: number;
  readonly cpu_percent: number | null;
  readonly cpu_percent_by_kind: Readonly<Record<string, number>> | null;
  /** From the start of the gateway's process. */
  readonly open_ms: { readonly all: number; readonly p50: number };
  /** Of the supervisor during the restore: what one turn of its loop in a hundred exceeds, and the longest one. */
  readonly event_loop_delay_ms: number;
  readonly event_loop_delay_max_ms: number;
  /** Of requests during the restore. */
  readonly api_latency_ms: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly requests: number;
  };
}

const openTimeoutMs = 180_000;
/** A session and the health are asked for so often, */
const probeMs = 50;
/** and the whole list with every so manieth of them. */
const listEvery = 10;
const afterTrafficMs = 20_000;
const sendersAtATime = 8;

export async function measureGateway(options: MeasureOptions): Promise<GatewayMeasurement> {
  const { fixture, perChild, children = {}, settleMs, idleMs, messages } = options;
  const gateway = await GatewayUnderBench.start({ storagePath: fixture.storagePath, perChild, children });
  try {
    const opening = await untilOpen(gateway, fixture.sessions);
    const delay = await gateway.loopDelay();
    await sleep(settleMs);
    const settled = gateway.processes();
    const idle = memoryByKind(settled);
    const cpu = idleMs > 0 ? await watchCpu(gateway, idleMs) : null;
    let after: MemoryByKind | null = null;
    if (messages > 0) {
      await talk(gateway, fixture.sessions, messages);
      await sleep(afterTrafficMs);
      after = memoryByKind(gateway.processes());
    }
    return {
      idle,
      after_traffic: after,
      cpu_ms_per_child: cpuMsPerChild(settled),
      cpu_percent: cpu?.['all'] ?? null,
      cpu_percent_by_kind: cpu,
      open_ms: opening.openMs,
      event_loop_delay_ms: rounded(delay.p99Ms),
      event_loop_delay_max_ms: rounded(delay.maxMs),
      api_latency_ms: opening.latencyMs,
    };
  } finally {
    await gateway.stop();
  }
}

/** Asks as dashboards and clients do, all the time until every link is open. */
async function untilOpen(gateway: GatewayUnderBench, sessions: readonly string[]) {
  const openedAt: number[] = [];
  const latencies: number[] = [];
  const timed = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    const askedAt = performance.now();
    const answer = await ask();
    latencies.push(performance.now() - askedAt);
    return answer;
  };
  for (let round = 0; openedAt.length < sessions.length; round++) {
    if (round % listEvery === 0) {
      const statuses = await timed(() => gateway.statuses());
      const now = performance.now() - gateway.startedAtMs;
      const open = [...statuses.values()].filter((status) => status === 'connected').length;
      while (openedAt.length < open) openedAt.push(now);
      if (now > openTimeoutMs && open < sessions.length) {
        const reasons = await gateway.get('/sessions?limit=3');
        throw new Error(`only ${open} of ${sessions.length} links opened: ${JSON.stringify(reasons)}`);
      }
    }
    await timed(() => gateway.get(`/sessions/${sessions[round % sessions.length] ?? ''}`));
    await timed(() => gateway.api.call('GET', '/health', { token: null }));
    await sleep(probeMs);
  }
  const sorted = latencies.toSorted((one, other) => one - other);
  const share = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return {
    openMs: {
      all: Math.round(openedAt.at(-1) ?? 0),
      p50: Math.round(openedAt[Math.floor(sessions.length / 2)] ?? 0),
    },
    latencyMs: { p50: share(0.5), p99: share(0.99), max: share(1), requests: sorted.length },
  };
}

async function watchCpu(gateway: GatewayUnderBench, idleMs: number): Promise<Readonly<Record<string, number>>> {
  const before = gateway.processes();
  const startedAt = performance.now();
  await sleep(idleMs);
  return cpuPercents(before, gateway.processes(), performance.now() - startedAt);
}

/** Every session gets texts of two contacts and answers some. */
async function talk(gateway: GatewayUnderBench, sessions: readonly string[], messages: number): Promise<void> {
  const waiting = Array.from({ length: messages }, (_, round) =>
    sessions.map((session) => ({ session, round })),
  ).flat();
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { session, round } = next;
      const contact = `1555300000${round % 2}`;
      const text = `Message ${round} of the bench, about as long as people write.`;
      await gateway.must([201], `/sessions/${session}/sandbox/messages`, { from: contact, text });
      if (round % 4 === 3) await gateway.must([200, 202], `/sessions/${session}/messages/text`, { to: contact, text });
    }
  };
  say(`  ${messages} messages to each of ${sessions.length} sessions`);
  await Promise.all(Array.from({ length: sendersAtATime }, work));
}
