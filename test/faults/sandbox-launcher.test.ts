import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { createSandboxLauncher } from '../../src/supervisor/sandbox-launcher.ts';
import { eventually } from '../support/eventually.ts';
import { isRunning } from '../support/process-facts.ts';
import { quickSettings } from '../support/supervised.ts';

setLogLevel('silent');
const storagePath = mkdtempSync(join(tmpdir(), 'warden-sandbox-'));
const launch = (entry?: string) =>
  createSandboxLauncher({
    ...(entry === undefined ? {} : { entry }),
    storagePath,
    restart: quickSettings.restart,
    readyTimeoutMs: 20_000,
    environment: {},
    clock: systemClock,
    random: () => 0.5,
    log: logger('sandbox'),
  });
const launcher = launch();
after(async () => {
  await launcher.stop();
  rmSync(storagePath, { recursive: true, force: true });
});

/** The simulator of this test is the process that has its state folder among its arguments. */
function simulatorPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isRunning(pid) && commandOf(pid).includes(storagePath));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('the sandbox', () => {
  test('does not run before somebody needs it, and once however many do', async () => {
    assert.deepEqual(simulatorPids(), []);
    const [first, second] = await Promise.all([launcher.target(), launcher.target()]);
    assert.deepEqual(first, second);
    assert.match(first.url ?? '', /^ws:\/\/127\.0\.0\.1:\d+/);
    assert.match(first.rootKeyHex ?? '', /^[0-9a-f]{64}$/);
    assert.equal(simulatorPids().length, 1);
  });

  test('passes requests on and answers what the simulator answers, also when it refuses', async () => {
    assert.equal((await launcher.control('GET', '/health')).status, 200);
    assert.equal((await launcher.control('GET', '/no-such-route')).status, 404);
  });

  test('comes back by itself, at the same address and with the same key', async () => {
    const before = await launcher.target();
    const [pid = 0] = simulatorPids();
    process.kill(pid, 'SIGKILL');
    await eventually(() => simulatorPids().some((other) => other !== pid), 10_000);
    assert.deepEqual(await launcher.target(), before);
  });

  test('ends with the gateway', async () => {
    await launcher.stop();
    assert.deepEqual(simulatorPids(), []);
    await assert.rejects(launcher.target(), { code: 'shutting_down' });
  });

  test('that cannot be started says so and is tried again when asked again', async () => {
    const broken = launch('/no/such/entry.js');
    await assert.rejects(broken.target(), { code: 'sandbox_unavailable' });
    await assert.rejects(broken.control('GET', '/health'), { code: 'sandbox_unavailable' });
    await broken.stop();
  });
});
