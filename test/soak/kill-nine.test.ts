/** The random kills of the fault tests, for minutes, on more sessions, with all victims mixed. */
import { after, before, test } from 'node:test';
import { CrashLedger } from '../support/crash-ledger.ts';
import { CrashRig } from '../support/crash-rig.ts';
import { CrashTraffic } from '../support/crash-traffic.ts';
import { startKillablePostgres, type KillablePostgres } from '../support/killable-postgres.ts';
import { seeded, soakMinutes } from '../support/seeded.ts';

const minutes = soakMinutes(10);
const sessions = Object.fromEntries(
  Array.from({ length: 6 }, (_, index) => [`s${index}`, `1555007${String(1000 + index)}`] as const),
);
const longestPauseMs = 2000;

let postgres: KillablePostgres;
let rig: CrashRig;

before(async () => {
  postgres = await startKillablePostgres();
  rig = await CrashRig.start({ sessions, database: postgres, env: { UNDECRYPTABLE_PATIENCE_MS: '20000' } });
});

after(() => rig.dispose());

test('nothing is lost or doubled while everything is killed', { timeout: (minutes + 15) * 60_000 }, async (t) => {
  const random = seeded();
  t.diagnostic(`CRASH_SEED=${random.seed}`);
  const ledger = new CrashLedger(rig);
  const traffic = new CrashTraffic(rig, ledger, random);
  await traffic.begin();
  const [first = '', ...others] = Object.keys(sessions);
  const killChild = async () => rig.killChild(await rig.childPid(random.pick([first, ...others])));
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    await traffic.round();
    await ledger.answered();
    const going = traffic.round();
    await new Promise((resolve) => setTimeout(resolve, random.below(longestPauseMs)));
    const kill = random.pick([killChild, killChild, () => rig.killGateway(), () => postgres.kill()]);
    await Promise.all([kill(), going]);
    await rig.connected();
  }
  await ledger.judge();
  t.diagnostic(JSON.stringify(ledger.counts));
});
