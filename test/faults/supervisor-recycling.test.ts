import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isRunning } from '../support/process-facts.ts';
import { eventually } from '../support/eventually.ts';
import { withSupervised, type Supervised } from '../support/supervised.ts';

const two = {
  prepare: (store: Supervised['store']) => ['a', 'b'].forEach((id) => store.addSession(id, { desired: 'running' })),
};
/** A bare child takes about 12 MB; between the soft limit and the cap there is room for a test to aim at. */
const capMb = 200;
const recycle = { softRatio: 0.6, quietMs: 400, timeoutMs: 1000, intervalMs: 60_000 };
const small = { ...two, settings: { memoryCapMb: capMb, recycle } };
const enough = 140;

const exitsOf = ({ store }: Supervised, id: string) => store.exits.filter((each) => each.session === id);

describe('a child that grows', () => {
  test('is replaced without a logout, and its record says what was done and when it was back', () =>
    withSupervised(async (supervised) => {
      const { connected, ask, pid, until, store } = supervised;
      await Promise.all([connected('a'), connected('b')]);
      const [first, neighbour] = [pid('a'), pid('b')];
      await until('a', ({ child }) => (child?.memoryBytes ?? 0) > 0);
      await ask('a', 'hold', enough);
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
      const [record] = await eventually(() => (exitsOf(supervised, 'a')[0]?.backAt ? exitsOf(supervised, 'a') : null));
      assert.ok(record !== undefined);
      const { exit } = record;
      assert.deepEqual([exit.cause, exit.code, exit.action], ['memory', 86, 'restarted']);
      assert.ok((exit.memory.at(-1)?.privateBytes ?? 0) > capMb * recycle.softRatio * 1_048_576);
      assert.ok(exit.memory.length >= 2);
      assert.equal(pid('b'), neighbour);
      assert.ok(store.emitted.every(({ event }) => event.name !== 'logged_out'));
    }, small));

  test('gets the time to finish what is under way', () =>
    withSupervised(async ({ connected, ask, pid, until }) => {
      await connected('a');
      const first = pid('a');
      const slow = ask('a', 'wait', 300);
      await ask('a', 'hold', enough);
      assert.equal(await slow, 'waited');
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
    }, small));

  test('and does not end when it is asked to is killed, and is back as soon', () =>
    withSupervised(
      async (supervised) => {
        const { connected, ask, pid, until } = supervised;
        await connected('a');
        const first = pid('a');
        await ask('a', 'hold', enough);
        await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
        await eventually(() => exitsOf(supervised, 'a').length > 0);
        const [record] = exitsOf(supervised, 'a');
        assert.deepEqual([record?.exit.cause, record?.exit.signal], ['memory', 'SIGKILL']);
        assert.equal(isRunning(first), false);
      },
      { ...small, script: { ignoreRecycle: true } },
    ));

  test('again soon after is not replaced again: people are told instead', () =>
    withSupervised(async ({ connected, ask, pid, until }) => {
      await connected('a');
      const first = pid('a');
      await ask('a', 'hold', enough);
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
      const second = pid('a');
      await ask('a', 'hold', enough);
      await until('a', (view) => view.child?.memoryWarning?.growth === 'external', 10_000);
      assert.equal(pid('a'), second);
    }, small));

  test('all at once is stopped hard, and its record says so', () =>
    withSupervised(async (supervised) => {
      const { connected, ask, pid, until } = supervised;
      await Promise.all([connected('a'), connected('b')]);
      const neighbour = pid('b');
      await ask('a', 'hold', capMb + 15).catch(() => null);
      await until('a', ({ child }) => child?.lastExit?.cause === 'memory', 20_000);
      await until('a', ({ status }) => status === 'connected', 20_000);
      assert.equal(pid('b'), neighbour);
      await eventually(() => exitsOf(supervised, 'a')[0]?.exit.signal === 'SIGKILL');
    }, small));
});

describe('a session that has gone deaf', () => {
  test('is connected anew by another process, and the reason says so', () =>
    withSupervised(
      async (supervised) => {
        const { connected, pid, until, script } = supervised;
        await connected('a');
        const first = pid('a');
        script({});
        await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first, 20_000);
        const [record] = await eventually(() =>
          exitsOf(supervised, 'a').length > 0 ? exitsOf(supervised, 'a') : null,
        );
        assert.deepEqual([record?.exit.cause, record?.exit.code], ['deaf', 86]);
        assert.match(record?.exit.detail ?? '', /delivered nothing/);
      },
      { ...two, script: { isDeaf: true }, settings: { deaf: { silenceMs: 300 } } },
    ));

  test('among others is connected anew alone', () =>
    withSupervised(
      async (supervised) => {
        const { connected, pid, ask } = supervised;
        await Promise.all([connected('a'), connected('b')]);
        const shared = pid('a');
        await eventually(() => exitsOf(supervised, 'a').length > 0);
        const [record] = exitsOf(supervised, 'a');
        assert.deepEqual([record?.exit.cause, record?.exit.action], ['deaf', 'reconnected']);
        await connected('a');
        assert.equal(pid('b'), shared);
        assert.ok(Number(await ask('b', 'start_count')) > 2);
      },
      { ...two, script: { isDeaf: true }, settings: { sessionsPerChild: 2, deaf: { silenceMs: 300 } } },
    ));

  test('that is only quiet keeps its process', () =>
    withSupervised(
      async ({ connected, pid, view, store }) => {
        await connected('a');
        const first = pid('a');
        const since = performance.now();
        await eventually(() => performance.now() - since > 1500);
        assert.equal(pid('a'), first);
        assert.equal(view('a').child?.restarts, 0);
        assert.deepEqual(store.exits, []);
      },
      { ...two, settings: { deaf: { silenceMs: 200 } } },
    ));
});

test('after as many failures as RESTART_LIMIT allows a person must ask', () =>
  withSupervised(
    async ({ until, view, script, supervisor, store, connected }) => {
      await until('a', ({ child }) => child?.state === 'blocked', 20_000);
      assert.equal(view('a').status, 'failed');
      assert.match(view('a').statusReason, /RESTART_LIMIT/);
      const last = await eventually(() => store.exits.find(({ exit }) => exit.action === 'given_up'));
      assert.match(last.exit.detail, /in a row/);
      script({});
      await supervisor.connect(store.row('a').id);
      await connected('a');
    },
    {
      prepare: (store: Supervised['store']) => void store.addSession('a', { desired: 'running' }),
      script: { boot: 'exit', code: 1 },
      settings: {
        restart: { baseMs: 20, maxMs: 50, resetMs: 60_000, crashLoopCount: 50, crashLoopWindowMs: 60_000, limit: 3 },
      },
    },
  ));
