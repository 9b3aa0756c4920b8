/**
 * A receiver that refuses connections while events queue at a steady rate, and comes back: what the queue costs in
 * memory, how long the catch-up takes, and whether everything came, once and in order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '../test/support/api-client.ts';
import { startHttpReceiver, type HttpReceiver } from '../test/support/http-receiver.ts';
import type { GatewayTarget } from './gateway-target.ts';
import { arrivedAtMs, loadText, messageIdOf, type LoadText } from './load-target.ts';
import { atConstantRate } from './open-loop.ts';
import { memoryByKind, rounded } from './processes.ts';
import { say } from './report.ts';
import { machineMs } from '../src/clock.ts';

export interface OutagePlan {
  readonly events: number;
  readonly minutes: number;
  /** How long the catch-up may take before it is given up. */
  readonly drainMinutes: number;
}

export interface MemorySample {
  readonly phase: 'before' | 'outage' | 'catch_up' | 'after';
  readonly at_s: number;
  readonly supervisor_pss_mb: number;
  readonly postgres_pss_mb: number;
  readonly children_pss_mb: number;
}

export interface OutageResult {
  readonly events: number;
  readonly minutes: number;
  readonly refused_pushes: number;
  readonly received: number;
  readonly lost: number;
  /** Requests about a message that had been answered with 200 already. */
  readonly duplicates: number;
  /** Messages that came after one of the same chat that the simulator had sent later. */
  readonly out_of_order_in_chat: number;
  /** Events that came after one of the same webhook with a higher sequence. */
  readonly out_of_sequence: number;
  readonly highest_attempt: number;
  /** From the receiver's return to the first request, and to the last. */
  readonly first_after_s: number | null;
  readonly drained_after_s: number | null;
  readonly drain_per_second: number | null;
  readonly supervisor_pss_mb: { readonly before: number; readonly peak: number; readonly after: number };
  readonly postgres_pss_mb: { readonly before: number; readonly peak: number; readonly after: number };
  readonly samples: readonly MemorySample[];
}

const sampleMs = 5_000;
const beforeMs = 20_000;
const afterMs = 30_000;
const pollMs = 250;

export async function measureOutage(target: GatewayTarget, plan: OutagePlan): Promise<OutageResult> {
  const startedAt = performance.now();
  const samples: MemorySample[] = [];
  let phase: MemorySample['phase'] = 'before';
  const look = (): void => {
    const memory = memoryByKind(target.gateway.processes());
    samples.push({
      phase,
      at_s: Math.round((performance.now() - startedAt) / 1000),
      supervisor_pss_mb: memory.supervisor_pss_mb,
      postgres_pss_mb: memory.postgres_pss_mb,
      children_pss_mb: memory.children.pss_mb_total,
    });
  };
  const timer = setInterval(look, sampleMs);
  try {
    await sleep(beforeMs);
    phase = 'outage';
    await target.receiver.close();
    say(`  receiver down: ${plan.events} events in ${plan.minutes} minutes`);
    const pushed: LoadText[] = [];
    const pushes: Promise<void>[] = [];
    let refused = 0;
    await atConstantRate({ perSecond: plan.events / (plan.minutes * 60), count: plan.events }, (index) => {
      const message = loadText(index, target.sessions, 'in');
      pushed.push(message);
      pushes.push(target.simulator.push(message).catch(() => void (refused += 1)));
    });
    await Promise.all(pushes);
    phase = 'catch_up';
    const receiver = await startHttpReceiver(Number(new URL(target.receiver.url).port));
    const backAtMs = machineMs();
    say('  receiver up again');
    try {
      await untilCaughtUp(receiver, pushed.length - refused, plan.drainMinutes);
      phase = 'after';
      await sleep(afterMs);
      const sentAt = await target.simulator.times('to_client');
      return {
        ...plan,
        refused_pushes: refused,
        ...judge(receiver, { pushed, sentAt, backAtMs }),
        ...memoryOf(samples),
        samples,
      };
    } finally {
      await receiver.close();
    }
  } finally {
    clearInterval(timer);
  }
}

async function untilCaughtUp(receiver: HttpReceiver, count: number, minutes: number): Promise<void> {
  const deadline = performance.now() + minutes * 60_000;
  let told = performance.now();
  for (;;) {
    const received = new Set(receiver.requests.map(messageIdOf)).size;
    if (received >= count) return;
    if (performance.now() > deadline) {
      say(`  given up: ${received} of ${count} came`);
      return;
    }
    if (performance.now() - told > 30_000) {
      say(`  ${received} of ${count} came`);
      told = performance.now();
    }
    await sleep(pollMs);
  }
}

interface Outage {
  readonly pushed: readonly LoadText[];
  /** Message id → when the simulator sent it: pushes may overtake each other on their way there. */
  readonly sentAt: ReadonlyMap<string, number>;
  readonly backAtMs: number;
}

function judge({ requests }: HttpReceiver, { pushed, sentAt, backAtMs }: Outage) {
  const known = new Map(pushed.map((message) => [message.id, message]));
  const seen = new Set<string>();
  const lastOfChat = new Map<string, number>();
  const lastOfWebhook = new Map<unknown, number>();
  let duplicates = 0;
  let outOfOrder = 0;
  let outOfSequence = 0;
  let highestAttempt = 0;
  for (const request of requests) {
    const message = known.get(messageIdOf(request) ?? '');
    if (message === undefined) continue;
    highestAttempt = Math.max(highestAttempt, Number(request.headers['x-webhook-attempt'] ?? 0));
    if (seen.has(message.id)) {
      duplicates += 1;
      continue;
    }
    seen.add(message.id);
    const chat = `${message.session} ${message.contact}`;
    const sequence = Number(at(request.json, 'sequence'));
    const session = at(request.json, 'session_id');
    const sent = sentAt.get(message.id) ?? 0;
    if (sent < (lastOfChat.get(chat) ?? 0)) outOfOrder += 1;
    if (sequence < (lastOfWebhook.get(session) ?? 0)) outOfSequence += 1;
    lastOfChat.set(chat, sent);
    lastOfWebhook.set(session, sequence);
  }
  const times = requests.map(arrivedAtMs);
  const [first, last] = [times[0], times.at(-1)];
  const spanMs = first === undefined || last === undefined ? 0 : last - first;
  const after = (time: number | undefined): number | null =>
    time === undefined ? null : rounded((time - backAtMs) / 1000);
  return {
    received: seen.size,
    lost: pushed.length - seen.size,
    duplicates,
    out_of_order_in_chat: outOfOrder,
    out_of_sequence: outOfSequence,
    highest_attempt: highestAttempt,
    first_after_s: after(first),
    drained_after_s: after(last),
    drain_per_second: spanMs === 0 ? null : rounded((seen.size / spanMs) * 1000),
  };
}

function memoryOf(samples: readonly MemorySample[]) {
  const of = (field: 'supervisor_pss_mb' | 'postgres_pss_mb') => {
    const last = (phase: MemorySample['phase']): number =>
      samples.findLast((each) => each.phase === phase)?.[field] ?? 0;
    const during = samples.filter(({ phase }) => phase !== 'before').map((each) => each[field]);
    return { before: last('before'), peak: Math.max(0, ...during), after: last('after') };
  };
  return { supervisor_pss_mb: of('supervisor_pss_mb'), postgres_pss_mb: of('postgres_pss_mb') };
}
