/**
 * Paired sandbox sessions, kept in bench/.cache: a gateway's whole storage folder with its database and the simulator's
 * state. Each run works on a copy, so that ratchets and state stay in step.
 */
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GatewayUnderBench } from './gateway-under-bench.ts';
import { say } from './report.ts';

const cache = fileURLToPath(new URL('../../bench/.cache/', import.meta.url));
/** Part of the folder's name: raised when fixtures of before cannot be used any more. */
const fixtureVersion = 1;
const pairingsAtATime = 3;
const settleMs = 3_000;

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
export async function fixtureOf(count: number): Promise<Fixture> {
  const kept = join(cache, `sessions-${count}-v${fixtureVersion}`);
  if (!existsSync(kept)) await pair(count, kept);
  const storagePath = await mkdtemp(join(tmpdir(), 'warden-bench-'));
  await cp(kept, storagePath, { recursive: true });
  return {
    storagePath,
    sessions: Array.from({ length: count }, (_, index) => sessionName(index)),
    dispose: () => rm(storagePath, { recursive: true, force: true }),
  };
}

async function pair(count: number, kept: string): Promise<void> {
  say(`pairing ${count} sessions with the simulator (kept in bench/.cache for the next time)`);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'pairing-'));
  const gateway = await GatewayUnderBench.start({ storagePath: folder, perChild: 10 });
  try {
    const waiting = Array.from({ length: count }, (_, index) => index);
    const work = async (): Promise<void> => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        await pairOne(gateway, index);
        if ((index + 1) % 25 === 0) say(`  ${index + 1} paired`);
      }
    };
    await Promise.all(Array.from({ length: pairingsAtATime }, work));
    await new Promise((resolve) => setTimeout(resolve, settleMs));
  } finally {
    await gateway.stop();
  }
  await rename(folder, kept);
}

async function pairOne(gateway: GatewayUnderBench, index: number): Promise<void> {
  const id = sessionName(index);
  await gateway.must([201], '/sessions', { id, sandbox: true });
  await gateway.must([200], `/sessions/${id}/sandbox/scan`, { phone: sessionPhone(index) });
}
