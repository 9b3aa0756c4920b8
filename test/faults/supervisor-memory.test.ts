import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { privateMemoryBytes } from '../../src/supervisor/proc.ts';
import { eventually } from '../support/eventually.ts';
import { isRunning } from '../support/process-facts.ts';
import { withSupervised, type Supervised } from '../support/supervised.ts';

const megabyte = 1_048_576;
const two = {
  prepare: (store: Supervised['store']) => ['a', 'b'].forEach((id) => store.addSession(id, { desired: 'running' })),
};
/** Nobody looks at the memory more often than once in a second. */
const rarelyLooked = { heartbeatSuspectMs: 20_000, heartbeatKillMs: 60_000 };
const exitOf = ({ store }: Supervised, id: string) => store.exits.find((each) => each.session === id);

/** The most private memory that a process has ever had, seen from outside until it ends. */
async function mostOf(pid: number): Promise<number> {
  let most = 0;
  while (isRunning(pid)) {
    most = Math.max(most, privateMemoryBytes(pid) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return most;
}

/** Ends the process of `a` by asking for `operation`; answers the most that it had, and its record. */
async function outgrow(supervised: Supervised, operation: string) {
  const { connected, ask, pid, until, view } = supervised;
  await Promise.all([connected('a'), connected('b')]);
  const [first, neighbour] = [pid('a'), pid('b')];
  const most = mostOf(first);
  ask('a', operation).catch(() => null);
  const mostBytes = await most;
  await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
  assert.deepEqual([pid('b'), view('b').child?.restarts], [neighbour, 0]);
  const record = await eventually(() => exitOf(supervised, 'a'));
  return { mostBytes, exit: record.exit };
}

describe('a child that takes memory', () => {
  const capMb = 96;

  test('outside of its heap, faster than anybody looks, is stopped by the kernel close to its cap', () =>
    withSupervised(
      async (supervised) => {
        const { mostBytes, exit } = await outgrow(supervised, 'balloon');
        assert.ok(mostBytes > 40 * megabyte, 'it was seen growing');
        // 64 MB, and what V8 reserves less of than the kernel's limit allows for.
        assert.ok(mostBytes <= (capMb + 64 + 32) * megabyte, `it had ${Math.round(mostBytes / megabyte)} MB`);
        // V8 aborts when it is refused memory that it cannot do without; the look of each second may come first.
        assert.match(exit.cause, /^(memory|heap_oom)$/);
        assert.ok(exit.signal === 'SIGKILL' || /allocation failed/i.test(exit.stderr), exit.stderr);
        assert.match(exit.detail, /SESSION_MEMORY_MB/);
      },
      { ...two, settings: { ...rarelyLooked, memoryCapMb: capMb } },
    ));

  test('in its heap is stopped by the limit of the heap, before its whole memory is much larger', () =>
    withSupervised(
      async (supervised) => {
        const { mostBytes, exit } = await outgrow(supervised, 'heap');
        assert.ok(mostBytes <= (capMb / 2 + 48 + 64) * megabyte, `it had ${Math.round(mostBytes / megabyte)} MB`);
        assert.deepEqual([exit.cause, exit.signal], ['heap_oom', 'SIGABRT']);
      },
      { ...two, settings: { ...rarelyLooked, memoryCapMb: capMb } },
    ));

  test('slowly, ten megabytes a second, is replaced in time, and the record knows what grew', () =>
    withSupervised(
      async (supervised) => {
        const { connected, ask, pid, until, store } = supervised;
        await Promise.all([connected('a'), connected('b')]);
        const [first, neighbour] = [pid('a'), pid('b')];
        await ask('a', 'grow', 10);
        await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 30_000);
        const { exit } = await eventually(() => exitOf(supervised, 'a'));
        assert.deepEqual([exit.cause, exit.code, exit.action, exit.growth], ['memory', 86, 'restarted', 'external']);
        assert.equal(pid('b'), neighbour);
        assert.ok(store.emitted.every(({ event }) => event.name !== 'logged_out'));
      },
      {
        ...two,
        settings: {
          memoryCapMb: capMb,
          recycle: { softRatio: 0.6, quietMs: 400, timeoutMs: 1000, intervalMs: 60_000 },
        },
      },
    ));

  test('and is killed before it could tell where that went, leaves a record that does not guess', () =>
    withSupervised(
      async (supervised) => {
        const { connected, ask, pid, until } = supervised;
        await connected('a');
        const first = pid('a');
        // From here on it tells nothing, as a process does that is busy with what makes it grow.
        await ask('a', 'mute_heartbeat');
        ask('a', 'hold', capMb + 20).catch(() => null);
        await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
        const { exit } = await eventually(() => exitOf(supervised, 'a'));
        assert.deepEqual([exit.cause, exit.signal, exit.growth], ['memory', 'SIGKILL', null]);
        assert.ok((exit.memory.at(-1)?.privateBytes ?? 0) > capMb * megabyte);
      },
      { ...two, settings: { memoryCapMb: capMb, heartbeatKillMs: 60_000, heartbeatSuspectMs: 200 } },
    ));
});

describe('the kernel, for want of memory,', () => {
  const roomyMb = 300;

  test('is given a child to kill before it takes the gateway', () =>
    withSupervised(async ({ connected, pid }) => {
      await connected('a');
      const scoreOf = (id: number): number => Number(readFileSync(`/proc/${id}/oom_score_adj`, 'utf8'));
      await eventually(() => scoreOf(pid('a')) > scoreOf(process.pid));
    }, two));

  test('leaves a record of that when it kills a child that was close to its cap', () =>
    withSupervised(
      async (supervised) => {
        const { connected, ask, pid, until } = supervised;
        await Promise.all([connected('a'), connected('b')]);
        const [first, neighbour] = [pid('a'), pid('b')];
        await ask('a', 'hold', 100);
        const { child } = await until('a', (view) => (view.child?.memoryBytes ?? 0) > 100 * megabyte);
        await ask('a', 'hold', Math.ceil(0.95 * roomyMb - (child?.memoryBytes ?? 0) / megabyte));
        await until('a', (view) => (view.child?.memoryBytes ?? 0) > 0.9 * roomyMb * megabyte);
        process.kill(first, 'SIGKILL');
        await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
        const { exit } = await eventually(() => exitOf(supervised, 'a'));
        assert.deepEqual([exit.cause, exit.signal, exit.action], ['kernel_oom', 'SIGKILL', 'restarted']);
        assert.equal(pid('b'), neighbour);
      },
      {
        ...two,
        settings: {
          memoryCapMb: roomyMb,
          recycle: { softRatio: 0.999, quietMs: 60_000, timeoutMs: 1000, intervalMs: 60_000 },
        },
      },
    ));
});
