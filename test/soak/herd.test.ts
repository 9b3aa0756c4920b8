/**
 * The fault table's numbers for many children at once, on children without WhatsApp: SOAK_SESSIONS of them (200) are
 * restored, and three quarters of them die.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readConfig } from '../../src/config.ts';
import { supervisorSettings } from '../../src/supervisor-settings.ts';
import { eventually } from '../support/eventually.ts';
import { withSupervised, type Supervised } from '../support/supervised.ts';

const { env } = process;
const count = Number(env['SOAK_SESSIONS'] ?? 200);
const ids = Array.from({ length: count }, (_, index) => `s${index}`);
const shipped = supervisorSettings(readConfig({}, { dotEnvPath: null }));
const patienceMs = 300_000;
const options = {
  prepare: (store: Supervised['store']) => ids.forEach((id) => store.addSession(id, { desired: 'running' })),
  settings: {
    ...shipped,
    connectRatePerSecond: 1000,
    connectBurst: 1000,
    admission: { ...shipped.admission, overcommit: 1000 },
    massFailure: { ...shipped.massFailure, pauseMs: 3000 },
  },
};

describe(`${count} children`, { timeout: 2 * patienceMs }, () => {
  test('are restored a few at a time while requests are answered; three quarters of them die and come back, the others never notice', () =>
    withSupervised(async ({ supervisor, until, ask, pid, view }) => {
      const delay = monitorEventLoopDelay({ resolution: 10 });
      delay.enable();
      const begun = performance.now();
      let mostStarting = 0;
      const watch = setInterval(() => (mostStarting = Math.max(mostStarting, supervisor.stats().gates.starting)), 5);
      try {
        const early = await eventually(() => ids.find((id) => view(id).status === 'connected'), patienceMs);
        let answered = 0;
        while (ids.some((id) => view(id).status !== 'connected')) {
          assert.equal(await ask(early, 'echo', answered), answered);
          answered++;
          if (performance.now() - begun > patienceMs) assert.fail('not all were restored in time');
        }
        const seconds = ((performance.now() - begun) / 1000).toFixed(1);
        console.log(
          `${count} restored in ${seconds} s, ${answered} requests answered meanwhile, ` +
            `loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms, most ${(delay.max / 1e6).toFixed(0)} ms`,
        );
        assert.ok(mostStarting <= shipped.startConcurrency, `${mostStarting} started at the same time`);
        assert.ok(supervisor.stats().children.every(({ restarts }) => restarts === 0));

        const victims = ids.slice(0, Math.floor(count * 0.75));
        const survivors = ids.slice(victims.length).map((id) => pid(id));
        const died = performance.now();
        for (const id of victims) process.kill(pid(id), 'SIGKILL');
        await eventually(() => supervisor.breaker.state !== 'closed');
        await Promise.all(
          victims.map((id) =>
            until(id, ({ status, child }) => status === 'connected' && child?.restarts === 1, patienceMs),
          ),
        );
        const backSeconds = ((performance.now() - died) / 1000).toFixed(1);
        console.log(`${victims.length} died and were back after ${backSeconds} s`);
        assert.equal(supervisor.breaker.state, 'closed');
        assert.ok(mostStarting <= shipped.startConcurrency, `${mostStarting} started at the same time`);
        assert.deepEqual(
          ids.slice(victims.length).map((id) => pid(id)),
          survivors,
        );
      } finally {
        clearInterval(watch);
        delay.disable();
      }
    }, options));
});
