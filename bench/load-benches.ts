/** The benches under load, as the command line asks for them: what they compare, and the tables they print. */
import { startBaileysTarget } from './baileys-target.ts';
import { startGatewayTarget, type GatewayLoadOptions } from './gateway-target.ts';
import type { LoadTarget } from './load-target.ts';
import { measureLatency, warmUp, type LatencyResult } from './measure-latency.ts';
import { measureOutage, type OutagePlan } from './measure-outage.ts';
import { measureThroughput, type ThroughputResult } from './measure-throughput.ts';
import { printTable, say, type Row } from './report.ts';

/** The gateway, and plain Baileys unless it is left out. */
interface Comparison extends GatewayLoadOptions {
  readonly hasBaseline: boolean;
}

/** Messages that a phase has at least, so that percentiles mean something. */
const fewestMessages = 60;
const directions = ['out', 'in'] as const;

export async function latencyBench(
  options: Comparison & { readonly rates: readonly number[]; readonly seconds: number },
): Promise<unknown> {
  const { sessions, perChild, rates, seconds } = options;
  const results = await withTargets(options, async (targets) => {
    const measured: LatencyResult[] = [];
    for (const perSecond of rates) {
      const count = Math.max(fewestMessages, Math.round(perSecond * seconds));
      for (const direction of directions) {
        for (const target of targets) {
          say(`  ${target.name} ${direction}, ${perSecond} messages/s, ${count} messages`);
          measured.push(await measureLatency(target, { direction, perSecond, count }));
        }
      }
    }
    return measured;
  });
  printTable(
    ['latency, ms', 'per s', 'messages', 'p50', 'p95', 'p99', 'max', 'answer p50', 'p99', 'lost', 'CPU ms a message'],
    results.map((each): Row => [
      `${each.direction} ${each.target}`,
      each.perSecond,
      each.ms?.count ?? 0,
      each.ms?.p50 ?? '-',
      each.ms?.p95 ?? '-',
      each.ms?.p99 ?? '-',
      each.ms?.max ?? '-',
      each.answer_ms?.p50 ?? '-',
      each.answer_ms?.p99 ?? '-',
      each.refused + each.missing,
      cpuText(each.cpu_ms_per_message),
    ]),
  );
  return { bench: 'latency', sessions, per_child: perChild, results };
}

export async function throughputBench(
  options: Omit<Comparison, 'sessions'> & {
    readonly sessionCounts: readonly number[];
    readonly seconds: number;
    readonly inFlight: number;
  },
): Promise<unknown> {
  const { sessionCounts, perChild, seconds, inFlight } = options;
  const results: ThroughputResult[] = [];
  for (const sessions of sessionCounts) {
    await withTargets({ ...options, sessions }, async (targets) => {
      for (const direction of directions) {
        for (const target of targets) {
          say(`  ${target.name} ${direction}, ${sessions} sessions, ${seconds} s`);
          results.push(await measureThroughput(target, { direction, seconds, inFlight }));
        }
      }
    });
  }
  printTable(
    ['throughput', 'sessions', 'messages/s', 'refused', 'CPU ms a message'],
    results.map((each): Row => [
      `${each.direction} ${each.target}`,
      each.sessions,
      each.per_second,
      each.refused,
      cpuText(each.cpu_ms_per_message),
    ]),
  );
  return { bench: 'throughput', per_child: perChild, in_flight: inFlight, results };
}

export async function outageBench(options: GatewayLoadOptions & { readonly plan: OutagePlan }): Promise<unknown> {
  const { sessions, perChild, plan } = options;
  say(`starting a gateway with ${sessions} sessions`);
  const target = await startGatewayTarget({ ...options, ordered: true });
  try {
    await warmUp(target);
    const result = await measureOutage(target, plan);
    const { supervisor_pss_mb: supervisor, postgres_pss_mb: postgres } = result;
    printTable(
      ['PSS in MB', 'before', 'peak', 'after'],
      [
        ['supervisor', supervisor.before, supervisor.peak, supervisor.after],
        ['postgres', postgres.before, postgres.peak, postgres.after],
      ],
    );
    process.stdout.write(
      `\n${result.received} of ${result.events} events came, ${result.lost} lost, ${result.duplicates} twice, ` +
        `${result.out_of_order_in_chat} out of order in their chat, ${result.out_of_sequence} in their webhook; the first ${result.first_after_s} s after the receiver's return ` +
        `(attempt ${result.highest_attempt}), the last after ${result.drained_after_s} s, ${result.drain_per_second}/s\n`,
    );
    return { bench: 'outage', sessions, per_child: perChild, ...result };
  } finally {
    await target.stop();
  }
}

/** Starts both, so that each is measured right after the other; whoever waits is connected and idle. */
async function withTargets<Result>(
  options: Comparison,
  work: (targets: readonly LoadTarget[]) => Promise<Result>,
): Promise<Result> {
  const { sessions, perChild, hasBaseline } = options;
  await using started = new AsyncDisposableStack();
  say(`starting a gateway with ${sessions} sessions, ${perChild} per child`);
  const targets: LoadTarget[] = [await startGatewayTarget(options)];
  started.adopt(targets[0], (target) => target?.stop());
  if (hasBaseline) {
    say(`starting ${sessions} processes of plain Baileys`);
    const baileys = await startBaileysTarget(sessions);
    started.defer(() => baileys.stop());
    targets.push(baileys);
  }
  for (const target of targets) {
    say(`  ${target.name}: first messages`);
    await warmUp(target);
  }
  return await work(targets);
}

const cpuText = (cpu: Readonly<Record<string, number>>): string =>
  Object.entries(cpu)
    .map(([kind, ms]) => `${kind} ${ms}`)
    .join(', ');
