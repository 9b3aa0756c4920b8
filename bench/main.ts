/** `npm run bench -- WHAT [options]`; see `usage`. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureBaselines } from './baseline.ts';
import { fixtureOf } from './fixtures.ts';
import { latencyBench, outageBench, throughputBench } from './load-benches.ts';
import { measureFlags, measureSteps } from './lean-steps.ts';
import { measureGateway, type GatewayMeasurement } from './measure-gateway.ts';
import type { MemoryByKind } from './processes.ts';
import { printTable, say, type Row } from './report.ts';

const usage = `usage: npm run bench -- WHAT [options]
  memory    PSS by kind of process, idle and after traffic; CPU of a minute of idling; plain Baileys beside it
  restore   how long until all links are open again, and the API's latency meanwhile
  idle      CPU and memory of idle sessions
  steps     what each step of the lean child's build saves
  flags     what each of the lean child's flags saves
  latency   HTTP request to stanza, and message to webhook request, at fixed rates; plain Baileys beside it
  throughput messages a second in and out, by sessions; plain Baileys beside it
  outage    a webhook receiver that is away while events queue: memory, catch-up, order

  --sessions N     sessions (50; steps and flags: 4; latency and outage: 5; throughput: 1,10,50)
  --per-child N    sessions per process (1)
  --messages N     messages to each session in memory (20)
  --idle-seconds N how long CPU is watched in memory and idle (60)
  --no-baseline    leaves plain Baileys out
  --only A,B       of steps or flags: these alone
  --rates A,B      of latency: messages a second over all sessions (1,20,100)
  --seconds N      of latency and throughput: length of each measurement (30)
  --in-flight N    of throughput: messages under way for each session (4)
  --events N       of outage: how many queue (10000)
  --minutes N      of outage: how long the receiver is away (10)
  --drain-minutes N of outage: how long the catch-up may take (30)
  --env NAME=VALUE of latency, throughput, outage: a setting of the gateway; repeatable
  --cpu-prof DIR   of latency, throughput, outage: CPU profiles of supervisor and (not lean) children
  --json FILE      writes the result as JSON`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    sessions: { type: 'string' },
    'per-child': { type: 'string', default: '1' },
    messages: { type: 'string', default: '20' },
    'idle-seconds': { type: 'string', default: '60' },
    baseline: { type: 'boolean', default: true },
    only: { type: 'string' },
    rates: { type: 'string', default: '1,20,100' },
    seconds: { type: 'string', default: '30' },
    'in-flight': { type: 'string', default: '4' },
    events: { type: 'string', default: '10000' },
    minutes: { type: 'string', default: '10' },
    'drain-minutes': { type: 'string', default: '30' },
    env: { type: 'string', multiple: true, default: [] },
    'cpu-prof': { type: 'string' },
    json: { type: 'string' },
  },
});

const bench = positionals[0] ?? '';
const usualSessions: Readonly<Record<string, string>> = {
  steps: '4',
  flags: '4',
  latency: '5',
  throughput: '1,10,50',
  outage: '5',
};
const sessionCounts = counts(values.sessions ?? usualSessions[bench] ?? '50');
const [sessions = 0] = sessionCounts;
const perChild = count(values['per-child']);
const idleMs = count(values['idle-seconds']) * 1000;
const messages = count(values.messages);

const memoryHead = ['PSS in MB', 'children', 'each', 'together', 'supervisor', 'postgres', 'in all', '(simulator)'];

switch (bench) {
  case 'memory':
  case 'restore':
  case 'idle':
    await gatewayBench(bench);
    break;
  case 'steps':
  case 'flags': {
    const only = values.only?.split(',') ?? null;
    write(await (bench === 'steps' ? measureSteps(sessions, only) : measureFlags(sessions, only)));
    break;
  }
  case 'latency':
    write(
      await latencyBench({
        ...load(),
        hasBaseline: values.baseline,
        rates: counts(values.rates),
        seconds: count(values.seconds),
      }),
    );
    break;
  case 'throughput':
    write(
      await throughputBench({
        ...load(),
        hasBaseline: values.baseline,
        sessionCounts,
        seconds: count(values.seconds),
        inFlight: count(values['in-flight']),
      }),
    );
    break;
  case 'outage': {
    const plan = {
      events: count(values.events),
      minutes: count(values.minutes),
      drainMinutes: count(values['drain-minutes']),
    };
    write(await outageBench({ ...load(), plan }));
    break;
  }
  default:
    say(usage);
    process.exitCode = 1;
}

async function gatewayBench(kind: 'memory' | 'restore' | 'idle'): Promise<void> {
  const fixture = await fixtureOf(sessions);
  let measured: GatewayMeasurement;
  try {
    say(`${kind}: ${sessions} sessions, ${perChild} per child`);
    measured = await measureGateway({
      fixture,
      perChild,
      settleMs: kind === 'restore' ? 10_000 : 30_000,
      idleMs: kind === 'restore' ? 0 : idleMs,
      messages: kind === 'memory' ? messages : 0,
    });
  } finally {
    await fixture.dispose();
  }
  printTable(memoryHead, memoryRows(measured));
  const { open_ms: open, event_loop_delay_ms: delayMs, api_latency_ms: latency } = measured;
  const cpu =
    measured.cpu_percent === null
      ? ''
      : `, idle CPU ${measured.cpu_percent} % of a core (${JSON.stringify(measured.cpu_percent_by_kind)})`;
  process.stdout.write(
    `\nlinks open after ${open.all} ms (half of them ${open.p50} ms)${cpu}; meanwhile loop delay of the supervisor ` +
      `p99 ${delayMs} ms, max ${measured.event_loop_delay_max_ms} ms, API latency p50 ${latency.p50}, p99 ${latency.p99}, max ${latency.max} ms\n`,
  );
  const baseline =
    values.baseline && kind !== 'idle' ? await measureBaselines(sessions, kind === 'memory' ? messages : 0) : null;
  if (baseline !== null) {
    process.stdout.write('\nplain Baileys, without a gateway:\n');
    printTable(
      ['', 'processes', 'MB each', 'MB in all', 'MB after traffic', 'open ms'],
      Object.entries(baseline).map(([name, each]) => [
        name,
        each.idle.count,
        each.idle.pss_mb_per_process,
        each.idle.pss_mb_total,
        each.after_traffic?.pss_mb_total ?? '-',
        each.open_ms.all,
      ]),
    );
  }
  write({ bench: kind, sessions, per_child: perChild, ...measured, baseline });
}

function memoryRows({ idle, after_traffic: after }: GatewayMeasurement): readonly Row[] {
  const row = (name: string, memory: MemoryByKind): Row => [
    name,
    memory.children.count,
    memory.children.pss_mb_per_child,
    memory.children.pss_mb_total,
    memory.supervisor_pss_mb,
    memory.postgres_pss_mb,
    memory.total_pss_mb,
    memory.simulator_pss_mb,
  ];
  return [row('idle', idle), ...(after === null ? [] : [row('after traffic', after)])];
}

function write(result: unknown): void {
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

/** What all benches under load have in common. */
function load() {
  const env = Object.fromEntries(
    values.env.map((setting) => {
      const [name = '', ...value] = setting.split('=');
      return [name, value.join('=')];
    }),
  );
  return { sessions, perChild, env, profileFolder: values['cpu-prof'] ?? null };
}

function counts(text: string): readonly number[] {
  return text.split(',').map(count);
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new Error(`${text} is not a number\n\n${usage}`);
  return number;
}
