import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deriveStatus, type StatusFacts } from '../../src/supervisor/status.ts';

type Process = NonNullable<StatusFacts['process']>;

const link = (state: StatusFacts['link']['state'], until: number | null = null) => ({
  state,
  reason: `Link ${state}.`,
  until,
});
const process = (state: Process['state'], change: Partial<Process> = {}): Process => ({
  state,
  silentMs: null,
  lastExitDetail: null,
  retryInMs: null,
  pausedMs: null,
  ...change,
});
const status = (facts: Partial<StatusFacts>) =>
  deriveStatus({ desired: 'running', link: link('idle'), process: process('running'), trouble: null, ...facts });

describe('the status of a session', () => {
  test('follows the link while its process runs', () => {
    const cases = [
      ['connected', 'connected'],
      ['waiting_for_qr', 'waiting_for_qr'],
      ['waiting_for_pair_code', 'waiting_for_pair_code'],
      ['connecting', 'connecting'],
      ['reconnecting', 'connecting'],
      ['idle', 'disconnected'],
      ['banned', 'failed'],
      ['outdated', 'failed'],
      ['logged_out', 'logged_out'],
      ['replaced', 'failed'],
      ['rejected', 'failed'],
    ] as const;
    for (const [state, expected] of cases) assert.equal(status({ link: link(state) }).status, expected, state);
  });

  test('does not believe a link of a process that is gone', () => {
    assert.equal(status({ link: link('connected'), process: null }).status, 'connecting');
    assert.equal(status({ link: link('connected'), process: null, desired: 'stopped' }).status, 'disconnected');
    assert.equal(
      status({ link: link('connected'), process: process('backoff', { retryInMs: 4000 }) }).status,
      'connecting',
    );
  });

  test('says why a process ended and when it returns', () => {
    const lastExitDetail = 'The process ended with an error.';
    const waiting = status({ process: process('backoff', { lastExitDetail, retryInMs: 4000 }) });
    assert.equal(waiting.reason, 'The process ended with an error. It is restarted in 4 s.');
    const looping = status({ process: process('crash_loop', { lastExitDetail, retryInMs: 300_000 }) });
    assert.equal(looping.status, 'failed');
    assert.match(looping.reason, /keeps ending.*in 300 s/);
    assert.deepEqual(status({ process: process('blocked', { lastExitDetail }) }), {
      status: 'failed',
      reason: lastExitDetail,
    });
  });

  test('a connected session whose process hangs is not called connected', () => {
    const hung = status({ link: link('connected'), process: process('running', { silentMs: 12_000 }) });
    assert.equal(hung.status, 'connecting');
    assert.match(hung.reason, /not answered for 12 s/);
  });

  test('a link that ended for good stays visible when its process is gone, one with a next try does not', () => {
    assert.equal(status({ link: link('logged_out'), process: null, desired: 'stopped' }).status, 'logged_out');
    assert.equal(status({ link: link('replaced'), process: null }).status, 'failed');
    assert.equal(status({ link: link('replaced', 1), process: null }).status, 'connecting');
  });

  test('trouble is told before anything else that might still come', () => {
    assert.deepEqual(status({ trouble: 'Taken over.' }), { status: 'failed', reason: 'Taken over.' });
  });

  test('always has a reason in words', () => {
    for (const state of ['stopped', 'starting', 'running', 'stopping', 'backoff', 'crash_loop', 'blocked'] as const) {
      for (const desired of ['running', 'stopped'] as const) {
        assert.match(status({ desired, process: process(state) }).reason, /\w.*\.$/);
      }
    }
  });
});
