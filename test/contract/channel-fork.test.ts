import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { Channel, processPort } from '../../src/contract/channel.ts';
import {
  exitCode,
  type ChildNotices,
  type SupervisorNotices,
  type ToChild,
  type ToSupervisor,
} from '../../src/contract/ipc.ts';
import { eventually } from '../support/eventually.ts';
import { session, testChildEntry } from '../support/supervised.ts';

const id = session('forked');
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

function open() {
  const child = fork(testChildEntry, { serialization: 'advanced', silent: true });
  child.on('error', () => {});
  children.push(child);
  const keys: unknown[] = [];
  const channel = new Channel<ToChild, ToSupervisor, SupervisorNotices, ChildNotices>(processPort(child), {
    handlers: {
      keys_get: async () => ({}),
      keys_set: async (body) => {
        keys.push(body);
        return null;
      },
      record: async () => null,
      message_get: async () => null,
      message_sending: async () => null,
      credentials_clear: async () => null,
    },
    notices: { hello: () => {}, link: () => {}, log: () => {}, span: () => {}, heartbeat: () => {} },
    window: { requests: 64, bytes: 8 << 20 },
    overflow: 'reject',
    deadlineMs: 5000,
    timeoutCode: 'session_busy',
  });
  const origin = { requestId: null, traceparent: null };
  const ask = (name: string, params: unknown = null) =>
    channel.request('operation', { session: id, name, params, origin });
  return { child, channel, keys, ask };
}

describe('a channel to a real process', () => {
  test('keeps bytes, maps, dates and large integers as they are', async () => {
    const { child, ask } = open();
    const value = {
      bytes: new Uint8Array([0, 255, 7]),
      map: new Map([['a', 1]]),
      at: new Date(5),
      big: 2n ** 70n,
      none: null,
    };
    const back = await ask('echo', value);
    assert.deepEqual(back, value);
    child.kill('SIGKILL');
  });

  test('asks in both directions at once', async () => {
    const { child, keys, ask } = open();
    await Promise.all(Array.from({ length: 30 }, () => ask('write')));
    assert.equal(keys.length, 30);
    child.kill('SIGKILL');
  });

  test('a value that cannot be cloned fails its request and nothing else', async () => {
    const { child, channel, ask } = open();
    await assert.rejects(
      ask('echo', () => {}),
      { code: 'internal_error' },
    );
    assert.equal(channel.inFlight, 0);
    assert.equal(await ask('echo', 'still there'), 'still there');
    child.kill('SIGKILL');
  });

  test('what is in flight when the process dies fails at once, and so does what comes later', async () => {
    const { child, ask } = open();
    await ask('echo');
    const asked = performance.now();
    const waiting = ask('never');
    child.kill('SIGKILL');
    await assert.rejects(waiting, { code: 'session_restarted' });
    assert.ok(performance.now() - asked < 1000);
    await assert.rejects(ask('echo'), { code: 'session_restarted' });
  });

  test('a stopped process fills the window and no memory', async () => {
    const { child, channel, ask } = open();
    await ask('echo');
    child.kill('SIGSTOP');
    const kept = Array.from({ length: 64 }, () => ask('echo', 'x'.repeat(1000)).catch(() => null));
    const refused = await Promise.allSettled(Array.from({ length: 10_000 }, () => ask('echo', 'x'.repeat(1000))));
    assert.ok(refused.every((outcome) => outcome.status === 'rejected'));
    assert.equal(channel.inFlight, 64);
    child.kill('SIGCONT');
    await Promise.all(kept);
    assert.equal(await ask('echo', 'again'), 'again');
    child.kill('SIGKILL');
  });

  test('everything that was said before the end arrives', async () => {
    const { child, channel, ask } = open();
    await ask('echo');
    const exited = once(child, 'exit');
    const asked = Array.from({ length: 5 }, (_, index) => ask('echo', new Uint8Array(300_000).fill(index)));
    const end = channel.request('shutdown', { deadlineMs: 1000 });
    const answers = await Promise.all(asked);
    await end;
    assert.equal(answers.length, 5);
    assert.deepEqual(await exited, [exitCode.ok, null]);
  });

  test('frames that are not ours are counted and harmless', async () => {
    const { child, channel, ask } = open();
    await ask('junk');
    await eventually(
      () => channel.dropped >= 5,
      5000,
      () => channel.dropped,
    );
    assert.equal(await ask('echo', 1), 1);
    child.kill('SIGKILL');
  });
});
