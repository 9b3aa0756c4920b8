import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { supervisorSettings } from '../../src/supervisor-settings.ts';
import { eventually } from '../support/eventually.ts';
import { session, withSupervised, type Supervised } from '../support/supervised.ts';

/** The times that a gateway has when nobody configures anything: other tests have shorter ones. */
const shipped = supervisorSettings(readConfig({}, { dotEnvPath: null }));
const ids = ['frozen', 'short', 'busy', 'well'];

test('with the settings as shipped: silent children are shown after 10 s and killed after 30 s, one that wakes after 8 s or is well is not, and one that never becomes ready is killed after 20 s', () =>
  withSupervised(
    async ({ supervisor, store, connected, pid, until, script, ask, view }) => {
      await Promise.all(ids.map((id) => connected(id)));
      const first = new Map(ids.map((id) => [id, pid(id)]));
      const since = performance.now();
      const passedMs = (): number => performance.now() - since;
      for (const id of ['frozen', 'short']) process.kill(pid(id), 'SIGSTOP');
      ask('busy', 'busy_loop').catch(() => null);
      const waiting = ask('short', 'echo', 'asked while it slept');
      const late = assert.rejects(waiting, { code: 'session_busy' });
      script({ boot: 'silent' });
      store.addSession('mute');
      await supervisor.connect(session('mute'));

      await eventually(() => passedMs() > 8000);
      assert.ok(ids.every((id) => !view(id).statusReason.includes('not answered')));
      process.kill(pid('short'), 'SIGCONT');
      await late;
      for (const id of ['frozen', 'busy']) {
        await until(id, ({ statusReason }) => statusReason.includes('not answered'), 20_000);
        assert.ok(passedMs() > 9000, `${id} was suspected after ${passedMs()} ms`);
      }
      await until('mute', ({ child }) => child?.lastExit?.cause === 'start_timeout', 30_000);
      assert.ok(passedMs() > 19_500);
      script({});
      for (const id of ['frozen', 'busy']) {
        await until(id, ({ child }) => child?.lastExit?.cause === 'watchdog', 40_000);
        assert.ok(passedMs() > 29_000, `${id} was killed after ${passedMs()} ms`);
      }
      for (const id of [...ids, 'mute']) await until(id, ({ status }) => status === 'connected', 20_000);
      for (const id of ['short', 'well']) {
        assert.deepEqual([pid(id), view(id).child?.restarts], [first.get(id), 0]);
      }
      assert.equal(await ask('short', 'echo', 'awake'), 'awake');
    },
    {
      prepare: (store: Supervised['store']) => ids.forEach((id) => store.addSession(id, { desired: 'running' })),
      settings: { ...shipped, connectRatePerSecond: 1000, connectBurst: 1000 },
    },
  ));
