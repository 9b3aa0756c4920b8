/**
 * Paired sessions, kept in bench/.cache: a gateway's whole storage folder with its database and the simulator's state.
 * Each run works on a copy, so that ratchets and state stay in step.
 */
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { at } from '../test/support/api-client.ts';
import { startSimulator, type SimulatorProcess } from '../test/support/simulator.ts';
import { GatewayUnderBench } from './gateway-under-bench.ts';
import { say } from './report.ts';

const cache = fileURLToPath(new URL('../../bench/.cache/', import.meta.url));
/** Part of the folder's name: raised when fixtures of before cannot be used any more. */
const fixtureVersion = 1;
const pairingsAtATime = 3;
const settleMs = 3_000;

/** `sandbox`: the gateway runs the simulator; `linked`: the bench does, and the gateway takes it for WhatsApp. */
export type FixtureKind = 'sandbox' | 'linked';

export interface Fixture {
  readonly storagePath: string;
  readonly sessions: readonly string[];
  dispose(): Promise<void>;
}

export function sessionName(index: number): string {
  return `bench-${String(index).padStart(3, '0')}`;
}

export function sessionPhone(index: number): string {
  return `1555${String(4_000_000 + index)}`;
}

/** A copy of so many paired sessions; they are paired first when there are none of that number. */
export async function fixtureOf(count: number, kind: FixtureKind = 'sandbox'): Promise<Fixture> {
  const kept = join(cache, `${kind === 'sandbox' ? 'sessions' : kind}-${count}-v${fixtureVersion}`);
  if (!existsSync(kept)) await pair(count, kept, kind);
  const storagePath = await mkdtemp(join(tmpdir(), 'warden-bench-'));
  await cp(kept, storagePath, { recursive: true });
  return {
    storagePath,
    sessions: Array.from({ length: count }, (_, index) => sessionName(index)),
    dispose: () => rm(storagePath, { recursive: true, force: true }),
  };
}

/** The simulator of a linked fixture. */
export function simulatorOf(storagePath: string): Promise<SimulatorProcess> {
  return startSimulator({ stateDirectory: join(storagePath, 'sandbox') });
}

/** What makes a gateway take a simulator for WhatsApp. */
export function linkedTo({ wsUrl, rootKeyHex }: SimulatorProcess): Readonly<Record<string, string>> {
  return { WHATSAPP_URL: wsUrl, WHATSAPP_ROOT_KEY: rootKeyHex };
}

async function pair(count: number, kept: string, kind: FixtureKind): Promise<void> {
  say(`pairing ${count} sessions with the simulator (kept in bench/.cache for the next time)`);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'pairing-'));
  const simulator = kind === 'linked' ? await simulatorOf(folder) : null;
  const gateway = await GatewayUnderBench.start({
    storagePath: folder,
    perChild: 10,
    env: simulator === null ? {} : linkedTo(simulator),
  });
  try {
    const waiting = Array.from({ length: count }, (_, index) => index);
    const work = async (): Promise<void> => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        if (simulator === null) await pairOne(gateway, index);
        else await linkOne(gateway, simulator, index);
        if ((index + 1) % 25 === 0) say(`  ${index + 1} paired`);
      }
    };
    await Promise.all(Array.from({ length: pairingsAtATime }, work));
    await gateway.untilConnected(count);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
  } finally {
    await gateway.stop();
    await simulator?.stop();
  }
  await rename(folder, kept);
}

async function pairOne(gateway: GatewayUnderBench, index: number): Promise<void> {
  const id = sessionName(index);
  await gateway.must([201], '/sessions', { id, sandbox: true });
  await gateway.must([200], `/sessions/${id}/sandbox/scan`, { phone: sessionPhone(index) });
}

async function linkOne(gateway: GatewayUnderBench, simulator: SimulatorProcess, index: number): Promise<void> {
  const id = sessionName(index);
  await gateway.must([201], '/sessions', { id });
  const code = at(await gateway.get(`/sessions/${id}/qr?wait=30`), 'qr');
  const { status } = await simulator.api('POST', '/phones/scan', { qr: code, phone: sessionPhone(index) });
  if (status !== 200) throw new Error(`the simulator answered ${status} to the scan of ${String(code)}`);
}
