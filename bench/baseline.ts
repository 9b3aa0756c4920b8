/** Plain Baileys on the same sessions and the same simulator: a process for each of them, and all in one. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startSimulator, type SimulatorProcess } from '../test/support/simulator.ts';
import { exportCredentials } from './export-credentials.ts';
import { fixtureOf, sessionPhone } from './fixtures.ts';
import { endPlainProcesses, startPlainProcesses, type PlainProcess } from './plain-processes.ts';
import { processTree, rounded } from './processes.ts';
import { say } from './report.ts';

export interface BaselineMemory {
  readonly count: number;
  readonly pss_mb_per_process: number;
  readonly uss_mb_per_process: number;
  readonly pss_mb_total: number;
}

export interface Baseline {
  readonly sessions: number;
  readonly idle: BaselineMemory;
  readonly after_traffic: BaselineMemory | null;
  readonly open_ms: { readonly all: number };
}

const entry = fileURLToPath(new URL('./baseline-client.js', import.meta.url));
/** More processes of this size do not fit everywhere; what each weighs does not depend on their number. */
const mostProcesses = 50;
const settleMs = 30_000;
const afterTrafficMs = 20_000;

/** Answers by name; `one_per_session` may have fewer sessions than asked for, and says how many. */
export async function measureBaselines(
  sessions: number,
  messages: number,
): Promise<Readonly<Record<string, Baseline>>> {
  const apart = Math.min(sessions, mostProcesses);
  return {
    one_per_session: await measureBaseline({ fixtureSize: sessions, sessions: apart, perProcess: 1, messages }),
    all_in_one: await measureBaseline({ fixtureSize: sessions, sessions, perProcess: sessions, messages }),
  };
}

interface BaselineOptions {
  readonly fixtureSize: number;
  readonly sessions: number;
  readonly perProcess: number;
  readonly messages: number;
}

async function measureBaseline({ fixtureSize, sessions, perProcess, messages }: BaselineOptions): Promise<Baseline> {
  say(`plain Baileys: ${sessions} sessions, ${perProcess} per process`);
  const fixture = await fixtureOf(fixtureSize);
  const folder = join(fixture.storagePath, 'plain');
  await exportCredentials(fixture.storagePath, folder, fixture.sessions.slice(0, sessions));
  const simulator = await startSimulator({ stateDirectory: join(fixture.storagePath, 'sandbox') });
  let clients: readonly PlainProcess[] = [];
  try {
    const startedAt = performance.now();
    const groups = Array.from({ length: Math.ceil(sessions / perProcess) }, (_, group) =>
      fixture.sessions.slice(group * perProcess, Math.min(sessions, (group + 1) * perProcess)),
    );
    const requests = groups.map((names) => ({
      url: simulator.wsUrl,
      rootKeyHex: simulator.rootKeyHex,
      folders: names.map((name) => join(folder, name)),
    }));
    clients = await startPlainProcesses(entry, requests);
    const all = Math.round(performance.now() - startedAt);
    await sleep(settleMs);
    const idle = memoryOf(clients);
    let after: BaselineMemory | null = null;
    if (messages > 0) {
      await talk(simulator, sessions, messages);
      await sleep(afterTrafficMs);
      after = memoryOf(clients);
    }
    return { sessions, idle, after_traffic: after, open_ms: { all } };
  } finally {
    endPlainProcesses(clients);
    await simulator.stop();
    await fixture.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

function memoryOf(clients: readonly PlainProcess[]): BaselineMemory {
  const processes = clients.flatMap(({ process: { pid } }) => processTree(pid ?? 0, 'baseline'));
  const pss = processes.reduce((total, { pssMb }) => total + pssMb, 0);
  const uss = processes.reduce((total, { ussMb }) => total + ussMb, 0);
  return {
    count: processes.length,
    pss_mb_per_process: rounded(pss / processes.length),
    uss_mb_per_process: rounded(uss / processes.length),
    pss_mb_total: rounded(pss),
  };
}

async function talk(simulator: SimulatorProcess, sessions: number, messages: number): Promise<void> {
  for (let round = 0; round < messages; round += 1) {
    for (let index = 0; index < sessions; index += 1) {
      const body = {
        from: `1555300000${round % 2}`,
        text: `Message ${round} of the bench, about as long as people write.`,
      };
      const { status } = await simulator.api('POST', `/accounts/${sessionPhone(index)}/messages`, body);
      if (status !== 201) throw new Error(`the simulator answered ${status}`);
    }
  }
}
