/** Plain Baileys under load: one process per session, each with an endpoint of its own. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { at, createApiClient } from '../test/support/api-client.ts';
import { startHttpReceiver } from '../test/support/http-receiver.ts';
import { exportCredentials } from './export-credentials.ts';
import { fixtureOf, simulatorOf } from './fixtures.ts';
import { SimulatorUnderLoad, type LoadTarget } from './load-target.ts';
import { endPlainProcesses, startPlainProcesses } from './plain-processes.ts';
import { processTree } from './processes.ts';

const entry = fileURLToPath(new URL('./plain-endpoint.js', import.meta.url));

export async function startBaileysTarget(sessions: number): Promise<LoadTarget> {
  await using started = new AsyncDisposableStack();
  const fixture = await fixtureOf(sessions, 'linked');
  started.defer(() => fixture.dispose());
  const folder = join(fixture.storagePath, 'plain');
  await exportCredentials(fixture.storagePath, folder, fixture.sessions);
  const process = await simulatorOf(fixture.storagePath);
  const simulator = new SimulatorUnderLoad(process);
  started.defer(() => simulator.stop());
  const receiver = await startHttpReceiver();
  started.defer(() => receiver.close());
  const { wsUrl: url, rootKeyHex } = process;
  const plain = await startPlainProcesses(
    entry,
    fixture.sessions.map((name) => ({ url, rootKeyHex, folder: join(folder, name), hookUrl: receiver.url })),
  );
  started.defer(() => endPlainProcesses(plain));
  const clients = plain.map(({ announcement }) =>
    createApiClient(`http://127.0.0.1:${String(at(announcement, 'port'))}`, ''),
  );
  for (const client of clients) started.defer(() => client.close());
  await simulator.times('from_client');
  const running = started.move();
  return {
    name: 'baileys',
    sessions,
    simulator,
    receiver,
    send: async ({ session, contact, text, id }) => {
      const answer = await clients[session]?.call('POST', '/', { body: { to: contact, text, message_id: id } });
      if (answer?.status !== 200) throw new Error(`the endpoint answered ${answer?.status}: ${answer?.text}`);
    },
    processes: () => [
      ...plain.flatMap(({ process: { pid } }) => processTree(pid ?? 0, 'baseline')),
      ...simulator.processes(),
    ],
    stop: () => running.disposeAsync(),
  };
}
