import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OrphanRecords } from '../../src/supervisor/orphans.ts';
import { identify } from '../../src/supervisor/proc.ts';
import { eventually } from '../support/eventually.ts';
import { isRunning } from '../support/process-facts.ts';
import { session, supervise } from '../support/supervised.ts';

const runner = fileURLToPath(new URL('../support/run-supervisor.js', import.meta.url));
const started: ChildProcess[] = [];
const folders: string[] = [];
after(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'warden-end-'));
  folders.push(path);
  return path;
}

/** A supervisor in a process of its own, with the pids of its children. */
async function runSupervisor(storagePath: string, sessions: readonly string[]) {
  const child = spawn(process.execPath, [runner, storagePath, ...sessions], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise<string>((resolve) => lines.once('line', resolve));
  return { child, lines, pids: line.split(' ').map(Number) };
}

describe('the end of the supervisor', () => {
  test('a clean one ends all children with their links closed, without logging out', async () => {
    const supervised = await supervise({
      prepare: (store) => ['a', 'b', 'c'].forEach((id) => store.addSession(id, { desired: 'running' })),
    });
    await Promise.all(['a', 'b', 'c'].map((id) => supervised.connected(id)));
    const pids = ['a', 'b', 'c'].map((id) => supervised.pid(id));
    const begun = performance.now();
    await supervised.supervisor.stop(5000);
    assert.ok(performance.now() - begun < 1000);
    assert.ok(pids.every((pid) => !isRunning(pid)));
    for (const id of ['a', 'b', 'c']) {
      const { desired, link } = supervised.store.row(id);
      assert.deepEqual([desired, link.state], ['running', 'idle']);
      assert.equal(supervised.view(id).child?.lastExit?.cause, 'stopped');
    }
    const told = supervised.store.emitted.filter(({ event }) => event.name !== 'session_status');
    assert.deepEqual(told, []);
    await assert.rejects(supervised.supervisor.connect(session('a')), { code: 'shutting_down' });
    await supervised.dispose();
  });

  test('children that do not listen are killed when the time is up', async () => {
    const supervised = await supervise({
      script: { ignoreShutdown: true },
      settings: { stopTimeoutMs: 60_000 },
      prepare: (store) => ['a', 'b'].forEach((id) => store.addSession(id, { desired: 'running' })),
    });
    await Promise.all(['a', 'b'].map((id) => supervised.connected(id)));
    const pids = ['a', 'b'].map((id) => supervised.pid(id));
    process.kill(pids[0] ?? 0, 'SIGSTOP');
    const begun = performance.now();
    await supervised.supervisor.stop(500);
    const tookMs = performance.now() - begun;
    assert.ok(tookMs >= 490 && tookMs < 2000, `took ${tookMs} ms`);
    assert.ok(pids.every((pid) => !isRunning(pid)));
    await supervised.dispose();
  });

  test('a stop while children are being started leaves none behind', async () => {
    const ids = Array.from({ length: 6 }, (_, index) => `s${index}`);
    const supervised = await supervise({
      prepare: (store) => ids.forEach((id) => store.addSession(id, { desired: 'running' })),
    });
    await eventually(() => ids.some((id) => supervised.view(id).child?.pid));
    await supervised.supervisor.stop(3000);
    assert.deepEqual(readdirSync(join(supervised.storagePath, 'run', 'children')), []);
    await supervised.dispose();
  });

  test('kill -9 takes all of fifty children along, idle, asked or in an endless loop, and the next one restores all', async () => {
    const storagePath = folder();
    const names = Array.from({ length: 50 }, (_, n) => `${n < 5 ? 'busy' : n < 15 ? 'asked' : 'idle'}${n}`);
    const { child, pids } = await runSupervisor(storagePath, names);
    assert.ok(pids.length === 50 && pids.every(isRunning));
    child.kill('SIGKILL');
    await eventually(
      () => pids.every((pid) => !isRunning(pid)),
      5000,
      () => pids.filter(isRunning),
    );
    const next = await runSupervisor(
      storagePath,
      names.map((name) => name.replace('busy', 'idle')),
    );
    assert.ok(next.pids.length === 50 && next.pids.every(isRunning));
    next.child.kill('SIGKILL');
    await eventually(() => next.pids.every((pid) => !isRunning(pid)), 5000);
  });

  test('kill -9 where nothing guards children: those that listen end by themselves, the others at the next start', async () => {
    const storagePath = folder();
    const { child, pids } = await runSupervisor(storagePath, ['unguarded', 'idle', 'asked', 'busy']);
    const [idle = 0, asked = 0, busy = 0] = pids;
    child.kill('SIGKILL');
    await eventually(() => !isRunning(idle) && !isRunning(asked), 3000);
    assert.equal(isRunning(busy), true);
    const next = await supervise({ storagePath });
    assert.equal(isRunning(busy), false);
    await next.dispose();
  });
});

test('a supervisor that was suspended does not blame its children', async () => {
  const { child, lines, pids } = await runSupervisor(folder(), ['a', 'b']);
  child.kill('SIGSTOP');
  // The suspension itself: three times as long as a child may be silent.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  child.kill('SIGCONT');
  child.kill('SIGUSR2');
  const line = await new Promise<string>((resolve) => lines.once('line', resolve));
  assert.deepEqual(line.split(' ').map(Number), pids);
  child.kill('SIGKILL');
});

describe('what a former supervisor left running', () => {
  const sleeper = () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    started.push(child);
    return child;
  };
  const record = (storagePath: string, childIdentity: unknown, supervisorIdentity: unknown) => {
    const records = join(storagePath, 'run', 'children');
    mkdirSync(records, { recursive: true });
    writeFileSync(join(records, 'left.json'), JSON.stringify({ child: childIdentity, supervisor: supervisorIdentity }));
  };
  const gone = { pid: 999_999, startTime: '1', bootId: 'another' };

  test('is killed at the next start', async () => {
    const storagePath = folder();
    const orphan = sleeper();
    const identity = await eventually(() => identify(orphan.pid ?? 0));
    record(storagePath, identity, gone);
    assert.equal(await new OrphanRecords(storagePath).sweep(5000), 1);
    assert.equal(isRunning(identity.pid), false);
    assert.deepEqual(readdirSync(join(storagePath, 'run', 'children')), []);
  });

  test('is not mistaken for another process with the same pid', async () => {
    const storagePath = folder();
    const stranger = sleeper();
    const identity = await eventually(() => identify(stranger.pid ?? 0));
    record(storagePath, { ...identity, startTime: '1' }, gone);
    assert.equal(await new OrphanRecords(storagePath).sweep(1000), 0);
    record(storagePath, { ...identity, bootId: 'another' }, gone);
    assert.equal(await new OrphanRecords(storagePath).sweep(1000), 0);
    assert.equal(isRunning(identity.pid), true);
    stranger.kill('SIGKILL');
  });

  test('is left alone while its supervisor lives', async () => {
    const storagePath = folder();
    const [theirs, supervisor] = [sleeper(), sleeper()];
    const identity = await eventually(() => identify(theirs.pid ?? 0));
    record(storagePath, identity, await eventually(() => identify(supervisor.pid ?? 0)));
    assert.equal(await new OrphanRecords(storagePath).sweep(1000), 0);
    assert.equal(isRunning(identity.pid), true);
    supervisor.kill('SIGKILL');
    theirs.kill('SIGKILL');
  });

  test('records that cannot be read are removed', async () => {
    const storagePath = folder();
    record(storagePath, 'x', null);
    assert.equal(await new OrphanRecords(storagePath).sweep(1000), 0);
    assert.deepEqual(readdirSync(join(storagePath, 'run', 'children')), []);
  });
});
