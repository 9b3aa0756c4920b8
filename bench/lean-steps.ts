/** What single steps of the lean child's build, and single flags, save: each is left out once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChildProgram } from '../src/gateway.ts';
import { trusted } from '../src/contract/trusted.ts';
import { leanFlags } from '../src/supervisor/spawn.ts';
import { fixtureOf } from './fixtures.ts';
import { measureGateway } from './measure-gateway.ts';
import { printTable, say, type Row } from './report.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface LeanBuild {
  readonly steps: Readonly<Record<string, string>>;
  buildLeanChild(options: {
    readonly folder: string;
    readonly without: readonly string[];
  }): Promise<{ readonly bytes: number }>;
}

interface Variant {
  readonly name: string;
  readonly program: ChildProgram;
  readonly bundleKb: number | null;
}

export interface VariantResult {
  readonly name: string;
  readonly idle_uss_mb: number;
  readonly idle_pss_mb: number;
  /** From the start of a child to the look at its memory. */
  readonly cpu_ms: number;
  readonly open_ms: number;
  readonly bundle_kb: number | null;
}

/** Leaves each step out in turn; the first row has all, the last none and runs tsc's output as it is. */
export async function measureSteps(
  sessions: number,
  only: readonly string[] | null,
): Promise<readonly VariantResult[]> {
  // A plain module that stands beside the built ones and has no types.
  const lean = trusted<LeanBuild>(await import(join(root, 'scripts', 'lean', 'build.mjs')));
  const folder = await mkdtemp(join(root, 'dist', 'lean-steps-'));
  try {
    const names = Object.keys(lean.steps);
    const variants: Variant[] = [];
    const add = async (name: string, without: readonly string[]): Promise<void> => {
      if (only !== null && !only.includes(name)) return;
      const place = join(folder, name.replaceAll(' ', '-'));
      const { bytes } = await lean.buildLeanChild({ folder: place, without });
      variants.push({ name, program: { childEntry: join(place, 'child.cjs') }, bundleKb: Math.round(bytes / 1024) });
    };
    await add('all steps', []);
    for (const name of names) await add(`without ${name}`, [name]);
    await add('bundle only', names);
    if (only === null || only.includes('no bundle')) {
      const program = { childEntry: join(root, 'dist', 'src', 'child', 'main.js') };
      variants.push({ name: 'no bundle', program, bundleKb: null });
    }
    return await measure(sessions, variants);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Flags that are not among those of a lean child, to see what they would do. */
const furtherFlags = ['--no-flush-bytecode', '--single-threaded-gc', '--v8-pool-size=0', '--no-maglev'];

export function measureFlags(sessions: number, only: readonly string[] | null): Promise<readonly VariantResult[]> {
  const variants: Variant[] = [
    { name: 'the lean flags', flags: leanFlags },
    ...leanFlags
      .filter((flag) => flag !== '--expose-gc')
      .map((flag) => ({ name: `without ${flag}`, flags: leanFlags.filter((each) => each !== flag) })),
    ...furtherFlags.map((flags) => ({ name: `with ${flags}`, flags: [...leanFlags, ...flags.split(' ')] })),
    {
      name: 'without --expose-gc (no collection when idle)',
      flags: leanFlags.filter((flag) => flag !== '--expose-gc'),
    },
    { name: 'no flags', flags: ['--expose-gc'] },
  ]
    .filter(({ name }) => only === null || only.some((wanted) => name.includes(wanted)))
    .map(({ name, flags }) => ({ name, program: { childFlags: flags }, bundleKb: null }));
  return measure(sessions, variants);
}

async function measure(sessions: number, variants: readonly Variant[]): Promise<readonly VariantResult[]> {
  const results: VariantResult[] = [];
  for (const { name, program, bundleKb } of variants) {
    say(name);
    const fixture = await fixtureOf(sessions);
    try {
      const measured = await measureGateway({
        fixture,
        perChild: 1,
        children: program,
        settleMs: 20_000,
        idleMs: 0,
        messages: 0,
      });
      const { idle, open_ms: open } = measured;
      results.push({
        name,
        idle_uss_mb: idle.children.uss_mb_per_child,
        idle_pss_mb: idle.children.pss_mb_per_child,
        cpu_ms: measured.cpu_ms_per_child,
        open_ms: open.all,
        bundle_kb: bundleKb,
      });
    } catch (error) {
      say(`  does not run: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`);
    } finally {
      await fixture.dispose();
    }
  }
  const first = results[0];
  printTable(
    ['private MB per child', 'idle', 'difference', 'CPU ms', 'all open ms', 'bundle KB'],
    results.map((each): Row => [
      each.name,
      each.idle_uss_mb,
      first === undefined ? '' : (each.idle_uss_mb - first.idle_uss_mb).toFixed(2),
      each.cpu_ms,
      each.open_ms,
      each.bundle_kb ?? '-',
    ]),
  );
  return results;
}
