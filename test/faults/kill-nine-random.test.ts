/**
 * Kill -9 of every process at random moments under traffic in both directions. A failed run prints its seed; CRASH_SEED
 * repeats it.
 */
import { after, before, describe, test } from 'node:test';
import { CrashLedger } from '../support/crash-ledger.ts';
import { CrashRig } from '../support/crash-rig.ts';
import { CrashTraffic } from '../support/crash-traffic.ts';
import { startKillablePostgres, type KillablePostgres } from '../support/killable-postgres.ts';
import { seeded } from '../support/seeded.ts';

describe('two sessions that write to contacts, to a group and to each other', () => {
  let postgres: KillablePostgres;
  let rig: CrashRig;

  before(async () => {
    postgres = await startKillablePostgres();
    rig = await CrashRig.start({
      sessions: { alpha: '15550060001', beta: '15550060002' },
      database: postgres,
      env: { UNDECRYPTABLE_PATIENCE_MS: '8000' },
    });
  });

  after(() => rig.dispose());

  const cases: readonly (readonly [string, number, () => Promise<unknown>])[] = [
    ['a child', 4, async () => rig.killChild(await rig.childPid('alpha'))],
    ['the gateway', 2, () => rig.killGateway()],
    ['Postgres', 2, () => postgres.kill()],
  ];
  for (const [victim, kills, kill] of cases) {
    test(`lose and double nothing while ${victim} is killed at random moments`, async (t) => {
      const random = seeded();
      t.diagnostic(`CRASH_SEED=${random.seed}`);
      const ledger = new CrashLedger(rig);
      const traffic = new CrashTraffic(rig, ledger, random);
      await traffic.begin();
      for (let n = 0; n < kills; n++) {
        await traffic.round();
        await ledger.answered();
        const going = traffic.round();
        await new Promise((resolve) => setTimeout(resolve, random.below(600)));
        await Promise.all([kill(), going]);
        await rig.connected();
      }
      await ledger.judge();
      t.diagnostic(JSON.stringify(ledger.counts));
    });
  }
});
