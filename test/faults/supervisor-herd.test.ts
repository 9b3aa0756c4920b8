import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { toWardenError } from '../../src/contract/errors.ts';
import { trusted } from '../../src/contract/trusted.ts';
import { eventually } from '../support/eventually.ts';
import { isRunning } from '../support/process-facts.ts';
import { session, withSupervised, type Supervised } from '../support/supervised.ts';

setFlagsFromString('--expose-gc');
// Such a context has what the flag asks for.
const collectGarbage = trusted<() => void>(runInNewContext('gc'));

/** What this process cannot let go of. Its whole memory has room for garbage besides, which comes and goes. */
function keptBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const herd = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);
const running = (ids: readonly string[]) => ({
  prepare: (store: Supervised['store']) => ids.forEach((id) => store.addSession(id, { desired: 'running' })),
});

/** A machine that is busy with many starts lets some of them wait longer than a hanging child would get. */
const patient = { heartbeatSuspectMs: 5000, heartbeatKillMs: 20_000, readyTimeoutMs: 60_000 };

describe('when many children die at once', () => {
  const ids = herd(12);
  const massFailure = { count: 5, percent: 20, windowMs: 5000, pauseMs: 700, maxPauseMs: 2800 };
  const options = { ...running(ids), settings: { ...patient, massFailure, startConcurrency: 4 } };

  test('starts are paused and one child tries first; when it succeeds all come back', () =>
    withSupervised(async ({ supervisor, connected, pid, until, view }) => {
      await Promise.all(ids.map((id) => connected(id)));
      const victims = ids.slice(0, 9);
      const survivors = ids.slice(9).map((id) => pid(id));
      for (const id of victims) process.kill(pid(id), 'SIGKILL');
      await eventually(() => supervisor.breaker.state === 'paused');
      assert.equal(supervisor.breaker.trips, 1);
      await eventually(() => victims.some((id) => view(id).statusReason.includes('Many processes ended')), 5000);
      await Promise.all(
        victims.map((id) => until(id, ({ status, child }) => status === 'connected' && child?.restarts === 1, 20_000)),
      );
      assert.equal(supervisor.breaker.state, 'closed');
      assert.deepEqual(
        ids.slice(9).map((id) => pid(id)),
        survivors,
      );
    }, options));

  test('and the one that tries dies, too, the pause doubles', () =>
    withSupervised(async ({ supervisor, connected, pid, script, until }) => {
      await Promise.all(ids.map((id) => connected(id)));
      script({ boot: 'exit', code: 1 });
      for (const id of ids) process.kill(pid(id), 'SIGKILL');
      await eventually(
        () => supervisor.breaker.trips >= 2,
        10_000,
        () => supervisor.breaker,
      );
      await eventually(
        () => (supervisor.breaker.pausedMs ?? 0) > massFailure.pauseMs,
        10_000,
        () => supervisor.breaker,
      );
      script({});
      await Promise.all(ids.map((id) => until(id, ({ status }) => status === 'connected', 30_000)));
      assert.equal(supervisor.breaker.state, 'closed');
    }, options));
});

test('forty sessions restored at once start a few at a time, and requests are answered meanwhile', async () => {
  const ids = herd(40);
  await withSupervised(
    async ({ supervisor, view, until, ask }) => {
      let most = 0;
      const watch = setInterval(() => (most = Math.max(most, supervisor.stats().gates.starting)), 5);
      try {
        await eventually(() => ids.find((id) => view(id).status === 'connected'), 20_000);
        assert.ok(ids.some((id) => view(id).status === 'connecting'));
        const early = ids.find((id) => view(id).status === 'connected') ?? '';
        assert.equal(await ask(early, 'echo', 'while others start'), 'while others start');
        await Promise.all(ids.map((id) => until(id, ({ status }) => status === 'connected', 60_000)));
      } finally {
        clearInterval(watch);
      }
      assert.ok(most <= 2, `${most} started at the same time`);
      const { children, breaker } = supervisor.stats();
      assert.equal(children.length, 40);
      assert.ok(children.every(({ restarts }) => restarts === 0));
      assert.equal(breaker.state, 'closed');
    },
    { ...running(ids), settings: patient },
  );
});

describe('a child that does not read', () => {
  test('is offered ten thousand requests: they are refused at once, and the memory of the gateway stays flat', () =>
    withSupervised(
      async ({ connected, pid, ask }) => {
        await Promise.all([connected('a'), connected('b')]);
        process.kill(pid('a'), 'SIGSTOP');
        const codes = new Map<string, number>();
        const note = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1);
        const offer = (): Promise<void> =>
          ask('a', 'echo', 'x'.repeat(1000)).then(
            () => note('answered'),
            (error: unknown) => note(toWardenError(error).code),
          );
        const offerMany = async (count: number): Promise<void> => {
          for (let n = 0; n < count; n += 500) {
            const refused = Array.from({ length: 500 }, offer);
            await Promise.race([Promise.all(refused), eventually(() => (codes.get('session_busy') ?? 0) >= n + 400)]);
          }
        };
        // The first requests are what the child has been lent; from then on nothing may be kept.
        const lent = Array.from({ length: 64 }, offer);
        await offerMany(1000);
        const before = keptBytes();
        await offerMany(10_000);
        const grownBy = keptBytes() - before;
        // Each of them has a thousand bytes.
        assert.ok(grownBy < 4 << 20, `kept ${grownBy >> 10} KB`);
        assert.equal(await ask('b', 'echo', 'fine'), 'fine');
        process.kill(pid('a'), 'SIGCONT');
        await Promise.all(lent);
        assert.deepEqual(Object.fromEntries(codes), { answered: 64, session_busy: 11_000 });
      },
      { ...running(['a', 'b']), settings: { heartbeatSuspectMs: 10_000, heartbeatKillMs: 30_000 } },
    ));
});

describe('a child that talks without end', () => {
  test('does not keep its neighbour from being served', () =>
    withSupervised(
      async ({ connected, ask, pid, view }) => {
        await Promise.all([connected('a'), connected('b')]);
        const [first, neighbour] = [pid('a'), pid('b')];
        await ask('a', 'flood', 1000);
        for (let n = 0; n < 20; n++) assert.equal(await ask('b', 'echo', n), n);
        await eventually(() => ask('a', 'echo', 'still there'));
        assert.deepEqual([pid('a'), pid('b')], [first, neighbour]);
        assert.equal(view('b').child?.restarts, 0);
      },
      running(['a', 'b']),
    ));
});

describe('a child with a bug', () => {
  for (const [operation, code] of [
    ['throw', 1],
    ['reject', 1],
  ] as const) {
    test(`that makes it ${operation} leaves its last words in the record`, () =>
      withSupervised(
        async ({ connected, ask, store, until }) => {
          await connected('a');
          await ask('a', operation);
          await until('a', ({ status, child }) => status === 'connected' && child?.restarts === 1);
          const { exit } = await eventually(() => store.exits[0]);
          assert.deepEqual([exit.cause, exit.code], ['bug', code]);
          assert.match(exit.stderr, /on purpose/);
        },
        { ...running(['a']), settings: patient },
      ));
  }

  test('that spins in microtasks is killed like one in an endless loop', () =>
    withSupervised(
      async ({ connected, ask, store, until, pid }) => {
        await connected('a');
        const first = pid('a');
        await ask('a', 'microtasks');
        await until('a', ({ status, child }) => status === 'connected' && child?.pid !== first);
        const { exit } = await eventually(() => store.exits[0]);
        assert.deepEqual([exit.cause, exit.signal], ['watchdog', 'SIGKILL']);
        assert.equal(isRunning(first), false);
      },
      running(['a']),
    ));
});

test('the end of the gateway fails what is under way and leaves no child', async () => {
  const ids = herd(10);
  await withSupervised(async ({ supervisor, connected, ask, pid }) => {
    await Promise.all(ids.map((id) => connected(id)));
    const pids = ids.map((id) => pid(id));
    const waiting = ids.flatMap((id) => [ask(id, 'never'), ask(id, 'never')]);
    const outcomes = Promise.allSettled(waiting);
    await supervisor.stop(5000);
    assert.ok((await outcomes).every(({ status }) => status === 'rejected'));
    assert.ok(pids.every((each) => !isRunning(each)));
    await assert.rejects(supervisor.connect(session('s0')), { code: 'shutting_down' });
  }, running(ids));
});
