import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leanFlags } from '../../src/supervisor/spawn.ts';
import { eventually } from '../support/eventually.ts';
import { freshLeanChild } from '../support/lean-build.ts';
import { withSupervised, type Supervised } from '../support/supervised.ts';

const running = (ids: readonly string[]) => ({
  prepare: (store: Supervised['store']) => ids.forEach((id) => store.addSession(id, { desired: 'running' })),
});

const leanChild = fileURLToPath(new URL('../../lean/child.cjs', import.meta.url));
/** What is loaded before the child and goes wrong a moment later; its words hold what nobody may keep. */
const secret = 'key 3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= of 15550001111';
const bugs = [
  ['throws in a timer', 70, `setTimeout(() => { throw new TypeError('no such thing: ${secret}'); }, 300)`],
  [
    'throws in an event handler',
    70,
    `setTimeout(() => {
      process.once('warden', () => { throw new TypeError('no such thing: ${secret}'); });
      process.emit('warden');
    }, 300)`,
  ],
  [
    'leaves a rejection unhandled',
    71,
    `setTimeout(() => void Promise.reject(new TypeError('no such thing: ${secret}')), 300)`,
  ],
] as const;

describe('the child that users run', () => {
  for (const [what, code, source] of bugs) {
    test(`when it ${what} ends with ${code}, and its record keeps its last words without keys and numbers`, async () => {
      await freshLeanChild();
      const flag = `--import=data:text/javascript,${encodeURIComponent(source)}`;
      await withSupervised(
        async ({ store }) => {
          const { exit } = await eventually(() => store.exits[0], 20_000);
          assert.deepEqual([exit.cause, exit.code, exit.action], ['bug', code, 'restarted']);
          assert.match(exit.stderr, /TypeError: no such thing/);
          assert.match(exit.detail, /TypeError: no such thing/);
          assert.doesNotMatch(exit.stderr + exit.detail, /3q2\+7w|15550001111/);
          await eventually(() => store.exits.length > 1, 20_000);
        },
        { ...running(['a']), child: { entry: leanChild, flags: [...leanFlags, flag] } },
      );
    });
  }
});

const [baseMs, maxMs] = [20, 320];

test('a child that ends at once, twenty times: later each time, one event that says so, and its neighbour is well', () =>
  withSupervised(
    async (supervised) => {
      const { store, until, script, connected, supervisor, pid, view } = supervised;
      await Promise.all([connected('a'), connected('b')]);
      const neighbour = pid('b');
      script({ boot: 'exit', code: 1 });
      process.kill(pid('a'), 'SIGKILL');
      const exits = await eventually(() => (store.exits.length >= 20 ? store.exits : null), 20_000);
      // What is left of the delay when the record is written.
      const isAbout = (planned: number, index: number): boolean => {
        const delayMs = exits[index]?.exit.delayMs ?? 0;
        return delayMs <= planned && delayMs > planned / 2;
      };
      const planned = exits.map((_, index) => Math.min(maxMs, baseMs * 2 ** index));
      assert.ok(planned.every(isAbout), exits.map(({ exit }) => String(exit.delayMs)).join(' '));
      const told = store.emitted.filter(
        ({ event }) => event.name === 'session_status' && event.data.status === 'failed',
      );
      assert.deepEqual(
        told.map(({ session }) => session),
        ['a'],
      );
      assert.deepEqual([pid('b'), view('b').child?.restarts], [neighbour, 0]);
      assert.equal(supervisor.stats().breaker.state, 'closed');
      script({});
      await until('a', ({ status }) => status === 'connected', 10_000);
    },
    {
      ...running(['a', 'b']),
      settings: {
        restart: { baseMs, maxMs, resetMs: 60_000, crashLoopCount: 5, crashLoopWindowMs: 60_000, limit: 0 },
      },
    },
  ));
