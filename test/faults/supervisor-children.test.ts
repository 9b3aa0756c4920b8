import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { isRunning } from '../support/process-facts.ts';
import { session, supervise, type Supervised } from '../support/supervised.ts';

const kill = (pid: number, signal: NodeJS.Signals = 'SIGKILL') => process.kill(pid, signal);

async function withSupervised(
  run: (supervised: Supervised) => Promise<void>,
  options: Parameters<typeof supervise>[0] = {},
) {
  const supervised = await supervise(options);
  try {
    await run(supervised);
  } finally {
    await supervised.dispose();
  }
}

const two = {
  prepare: (store: Supervised['store']) => ['a', 'b'].forEach((id) => store.addSession(id, { desired: 'running' })),
};

describe('a child that dies', () => {
  test('is started again and connects, and its neighbour does not notice', () =>
    withSupervised(async ({ connected, pid, until, store, view, ask }) => {
      await Promise.all([connected('a'), connected('b')]);
      const [first, neighbour] = [pid('a'), pid('b')];
      const waiting = ask('a', 'never');
      kill(first);
      await assert.rejects(waiting, { code: 'session_restarted' });
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first);
      const { child } = view('a');
      assert.equal(child?.restarts, 1);
      assert.equal(child?.lastExit?.cause, 'external_kill');
      assert.equal(pid('b'), neighbour);
      const told = store.emitted.filter(({ event }) => event.name === 'disconnected');
      assert.equal(told.length, 1);
      assert.deepEqual(
        told.map(({ session: id, event }) => [id, event.name === 'disconnected' && event.data.will_reconnect]),
        [['a', true]],
      );
    }, two));

  test('gets a new epoch, and its old one can write no more', () =>
    withSupervised(async ({ connected, pid, until, ask }) => {
      await connected('a');
      assert.equal(await ask('a', 'write'), null);
      const first = pid('a');
      kill(first);
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first);
      assert.equal(await ask('a', 'write'), null);
      await assert.rejects(ask('a', 'write', 1), { code: 'fenced' });
      assert.equal(await ask('a', 'write'), null);
    }, two));

  test('with an error, leaves the reason where people can read it', () =>
    withSupervised(async ({ connected, view, until, ask }) => {
      await connected('a');
      await ask('a', 'throw');
      await until('a', ({ child }) => child?.restarts === 1);
      assert.equal(view('a').child?.lastExit?.cause, 'bug');
      assert.match(view('a').child?.lastExit?.detail ?? '', /Error: thrown on purpose/);
    }, two));

  test('by itself with code 0 is started again', () =>
    withSupervised(async ({ connected, view, until, ask }) => {
      await connected('a');
      await ask('a', 'exit', 0);
      await until('a', ({ status, child }) => status === 'connected' && child?.restarts === 1);
      assert.equal(view('a').child?.lastExit?.cause, 'clean_unexpected');
    }, two));

  test('again and again ends in a crash loop that people see and that still retries', () =>
    withSupervised(
      async ({ until, view, script }) => {
        const looping = await until('a', ({ child }) => child?.state === 'crash_loop', 20_000);
        assert.equal(looping.status, 'failed');
        assert.match(looping.statusReason, /keeps ending; the next try is in \d s/);
        assert.equal(view('a').child?.restarts, 5);
        script({});
        await until('a', ({ status }) => status === 'connected', 10_000);
      },
      { ...two, script: { boot: 'exit', code: 1 } },
    ));
});

test('children yield the processor to the gateway', () =>
  withSupervised(async ({ connected, pid }) => {
    await connected('a');
    assert.equal(getPriority(pid('a')), 10);
  }, two));

describe('a child that hangs', () => {
  test('when stopped, is suspected, killed and replaced, and its neighbour does not notice', () =>
    withSupervised(async ({ connected, pid, until, view }) => {
      await Promise.all([connected('a'), connected('b')]);
      const [first, neighbour] = [pid('a'), pid('b')];
      kill(first, 'SIGSTOP');
      const suspect = await until('a', ({ statusReason }) => statusReason.includes('not answered'));
      assert.equal(suspect.status, 'connecting');
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first);
      assert.equal(view('a').child?.lastExit?.cause, 'watchdog');
      assert.equal(isRunning(first), false);
      assert.equal(pid('b'), neighbour);
    }, two));

  test('in an endless loop, is killed as well', () =>
    withSupervised(async ({ connected, pid, until, view, ask }) => {
      await connected('a');
      const first = pid('a');
      await ask('a', 'busy_loop');
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first);
      assert.equal(view('a').child?.lastExit?.cause, 'watchdog');
    }, two));

  test('for a moment only, keeps its process', () =>
    withSupervised(async ({ connected, pid, until, view, ask }) => {
      await connected('a');
      const first = pid('a');
      kill(first, 'SIGSTOP');
      const asked = ask('a', 'echo', 'while it was stopped');
      await until('a', ({ status }) => status === 'connecting');
      kill(first, 'SIGCONT');
      assert.equal(await asked, 'while it was stopped');
      await connected('a');
      assert.equal(pid('a'), first);
      assert.equal(view('a').child?.restarts, 0);
    }, two));

  test('can be restarted, disconnected and deleted at once', () =>
    withSupervised(
      async ({ connected, pid, until, supervisor, store, view }) => {
        await Promise.all([connected('a'), connected('b')]);
        const first = pid('a');
        kill(first, 'SIGSTOP');
        await until('a', ({ status }) => status === 'connecting');
        await supervisor.restart(session('a'));
        await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first);
        kill(pid('a'), 'SIGSTOP');
        const second = pid('a');
        await supervisor.disconnect(session('a'));
        assert.equal(isRunning(second), false);
        assert.equal(view('a').status, 'disconnected');
        assert.equal(store.row('a').desired, 'stopped');
        kill(pid('b'), 'SIGSTOP');
        const third = pid('b');
        await supervisor.remove(session('b'));
        assert.equal(isRunning(third), false);
        assert.throws(() => store.row('b'));
      },
      { ...two, settings: { heartbeatKillMs: 60_000 } },
    ));

  test('and never becomes ready is killed at its deadline', () =>
    withSupervised(
      async ({ until, script }) => {
        await until('a', ({ child }) => child?.lastExit?.cause === 'start_timeout');
        script({});
        await until('a', ({ status }) => status === 'connected');
      },
      { ...two, script: { boot: 'silent' }, settings: { readyTimeoutMs: 400 } },
    ));
});

describe('a child that must not run', () => {
  test('because it speaks another protocol is blocked until somebody asks', () =>
    withSupervised(
      async ({ until, view, script, supervisor, connected }) => {
        await until('a', ({ child }) => child?.state === 'blocked');
        assert.equal(view('a').status, 'failed');
        assert.match(view('a').statusReason, /another version of the protocol/);
        script({});
        await supervisor.connect(session('a'));
        await connected('a');
      },
      { ...two, script: { protocol: 99 } },
    ));

  test('because another gateway has taken its session over is stopped and not started again', () =>
    withSupervised(async ({ connected, pid, until, store, view, ask, supervisor }) => {
      await connected('a');
      const first = pid('a');
      await store.sessions.takeEpoch(session('a'));
      await assert.rejects(ask('a', 'write'), { code: /fenced|session_restarted/ });
      await until('a', ({ child }) => child?.state === 'stopped');
      assert.equal(isRunning(first), false);
      assert.equal(view('a').status, 'failed');
      assert.match(view('a').statusReason, /Another gateway/);
      assert.equal(store.row('a').desired, 'running');
      await supervisor.connect(session('a'));
      await connected('a');
    }, two));

  test('may not touch the sessions of others', () =>
    withSupervised(async ({ connected, ask }) => {
      await Promise.all([connected('a'), connected('b')]);
      await assert.rejects(ask('a', 'read_other', 'b'), { code: 'fenced' });
      assert.deepEqual(await ask('a', 'read_other', 'a'), {});
    }, two));
});

describe('memory', () => {
  test('beyond the heap ends in a restart whose reason says what to raise', () =>
    withSupervised(
      async ({ connected, until, view, ask }) => {
        await connected('a');
        ask('a', 'heap').catch(() => null);
        await until('a', ({ child }) => (child?.lastExit ?? null) !== null, 20_000);
        assert.equal(view('a').child?.lastExit?.cause, 'heap_oom');
        assert.match(view('a').child?.lastExit?.detail ?? '', /SESSION_MEMORY_MB/);
      },
      { ...two, settings: { memoryCapMb: 64, heartbeatKillMs: 60_000 } },
    ));

  test('beyond the cap, outside the heap, is stopped by the sample or the kernel', () =>
    withSupervised(
      async ({ connected, until, view, ask }) => {
        await connected('a');
        assert.ok((view('a').child?.memoryBytes ?? 0) < 64 << 20);
        ask('a', 'buffers', 2000).catch(() => null);
        await until('a', ({ child }) => (child?.lastExit ?? null) !== null, 20_000);
        assert.match(view('a').child?.lastExit?.cause ?? '', /memory|heap_oom|kernel_oom|bug/);
      },
      { ...two, settings: { memoryCapMb: 64, heartbeatKillMs: 60_000 } },
    ));

  test('is shown for every child', () =>
    withSupervised(async ({ connected, until }) => {
      await connected('a');
      await until('a', ({ child }) => (child?.memoryBytes ?? 0) > 1 << 20);
    }, two));
});

test('a child gets no more of the environment than it was meant to', () =>
  withSupervised(async ({ connected, ask }) => {
    await connected('a');
    const environment = await ask('a', 'environment');
    assert.ok(typeof environment === 'object' && environment !== null);
    const foreign = Object.keys(environment).filter((name) => !/^(MALLOC_|TEST_CHILD_|NODE_CHANNEL_)/.test(name));
    assert.deepEqual(foreign, []);
  }, two));

test('a child that talks nonsense is heard no further and harms nobody', () =>
  withSupervised(async ({ connected, ask }) => {
    await connected('a');
    await ask('a', 'junk');
    assert.equal(await ask('a', 'echo', 'fine'), 'fine');
    await eventually(() => ask('b', 'echo', 'fine'));
  }, two));
