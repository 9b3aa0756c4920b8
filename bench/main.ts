/** `npm run bench -- memory|restore|idle|steps|flags [options]`; see `usage`. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureBaselines } from './baseline.ts';
import { fixtureOf } from './fixtures.ts';
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

  --sessions N     sessions (50; steps and flags: 4)
  --per-child N    sessions per process (1)
  --messages N     messages to each session in memory (20)
  --idle-seconds N how long CPU is watched in memory and idle (60)
  --no-baseline    leaves plain Baileys out
  --only A,B       of steps or flags: these alone
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
    json: { type: 'string' },
  },
});

const bench = positionals[0] ?? '';
const isOfSteps = bench === 'steps' || bench === 'flags';
const sessions = count(values.sessions ?? (isOfSteps ? '4' : '50'));
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

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new Error(`${text} is not a number\n\n${usage}`);
  return number;
}
