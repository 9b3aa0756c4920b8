/** A gateway under load: the bench runs its simulator, so that pushing costs the gateway nothing. */
import { join } from 'node:path';
import { startHttpReceiver, type HttpReceiver } from '../test/support/http-receiver.ts';
import { leanFlags } from '../src/supervisor/spawn.ts';
import { fixtureOf, linkedTo, sessionName, simulatorOf } from './fixtures.ts';
import { GatewayUnderBench } from './gateway-under-bench.ts';
import { SimulatorUnderLoad, type LoadTarget } from './load-target.ts';

export interface GatewayLoadOptions {
  readonly sessions: number;
  readonly perChild: number;
  /** Of the gateway, beside what the bench needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Where to write CPU profiles of supervisor and children, or null. */
  readonly profileFolder: string | null;
  readonly ordered?: boolean;
  /** Where webhooks go; by default to a receiver of its own. */
  readonly hookUrl?: string;
}

export interface GatewayTarget extends LoadTarget {
  readonly gateway: GatewayUnderBench;
}

/** Neither people's habits nor the guard of private addresses may slow a measurement down. */
const benchEnvironment = { PACING_ENABLED: 'false', OUTBOUND_ALLOW_CIDR: '127.0.0.0/8' };

export async function startGatewayTarget(options: GatewayLoadOptions): Promise<GatewayTarget> {
  const { sessions, perChild, env, profileFolder, ordered = false } = options;
  await using started = new AsyncDisposableStack();
  const fixture = await fixtureOf(sessions, 'linked');
  started.defer(() => fixture.dispose());
  const process = await simulatorOf(fixture.storagePath);
  const simulator = new SimulatorUnderLoad(process);
  started.defer(() => simulator.stop());
  const receiver = await startHttpReceiver();
  started.defer(() => receiver.close());
  const profile = profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const gateway = await GatewayUnderBench.start({
    storagePath: fixture.storagePath,
    perChild,
    env: { ...linkedTo(process), ...benchEnvironment, ...env },
    nodeFlags: profile,
    children: profileFolder === null ? {} : profiledChild(profile),
  });
  started.defer(() => gateway.stop());
  await gateway.untilConnected(sessions);
  await registerWebhooks(gateway, sessions, { url: options.hookUrl ?? receiver.url, ordered });
  await simulator.times('from_client');
  const running = started.move();
  return {
    name: 'gateway',
    sessions,
    gateway,
    simulator,
    receiver,
    send: async ({ session, contact, text, id }) => {
      const body = { to: contact, text, message_id: id };
      await gateway.must([200, 202], `/sessions/${sessionName(session)}/messages/text`, body);
    },
    processes: () => [...gateway.processes(), ...simulator.processes()],
    stop: () => running.disposeAsync(),
  };
}

/** Children with readable names; they are slower and larger than the lean ones. */
function profiledChild(profile: readonly string[]) {
  const childEntry = join(import.meta.dirname, '..', 'src', 'child', 'main.js');
  return { childEntry, childFlags: [...leanFlags, ...profile] };
}

async function registerWebhooks(
  gateway: GatewayUnderBench,
  sessions: number,
  { url, ordered }: { readonly url: HttpReceiver['url']; readonly ordered: boolean },
): Promise<void> {
  for (let session = 0; session < sessions; session += 1) {
    await gateway.must([201], `/sessions/${sessionName(session)}/webhooks`, { url, events: ['message'], ordered });
  }
}
