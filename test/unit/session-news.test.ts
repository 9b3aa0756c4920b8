import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WardenError } from '../../src/contract/errors.ts';
import type { SessionEvent } from '../../src/contract/events.ts';
import { parseSessionId } from '../../src/contract/ids.ts';
import type { SessionStatus } from '../../src/contract/operations/sessions.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { SessionNews } from '../../src/supervisor/session-news.ts';
import { eventually } from '../support/eventually.ts';

const id = parseSessionId('support');
assert.ok(id !== null);

function begin() {
  setLogLevel('silent');
  const told: SessionEvent[] = [];
  const lifetime = new AbortController();
  const state: { status: SessionStatus; failures: number } = { status: 'disconnected', failures: 0 };
  const unused = () => Promise.reject(new Error('not part of this test'));
  const news = new SessionNews({
    store: {
      commits: {
        setKeys: unused,
        record: unused,
        sending: unused,
        clearCredentials: unused,
        drain: unused,
        emit: async (_session, event) => {
          if (state.failures-- > 0) throw new WardenError('storage_unavailable');
          told.push(event);
        },
      },
    },
    clock: { now: () => 1_767_225_600_000, monotonic: () => 0 },
    log: logger('test'),
    signal: lifetime.signal,
  });
  assert.ok(id !== null);
  news.watch(id, () => ({ status: state.status, statusReason: `It is ${state.status}.` }));
  const change = (status: SessionStatus): void => {
    state.status = status;
    if (id !== null) news.changed(id);
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { news, told, state, lifetime, change, turn };
}

const statuses = (told: readonly SessionEvent[]) =>
  told.flatMap(({ name, data }) => (name === 'session_status' ? [[data.previous, data.status]] : []));

describe('news of a session', () => {
  test('what changes within one turn is one change, and what changes back is none', async () => {
    const { told, change, turn } = begin();
    change('connecting');
    change('connected');
    await turn();
    await turn();
    assert.deepEqual(statuses(told), [['disconnected', 'connected']]);
    change('failed');
    change('connected');
    await turn();
    await turn();
    assert.equal(told.length, 1);
  });

  test('every change is told in order, also when the store was away', async () => {
    const { told, change, state, turn } = begin();
    state.failures = 1;
    for (const status of ['connecting', 'connected', 'failed'] as const) {
      change(status);
      await turn();
    }
    await eventually(() => told.length === 3);
    assert.deepEqual(statuses(told), [
      ['disconnected', 'connecting'],
      ['connecting', 'connected'],
      ['connected', 'failed'],
    ]);
  });

  test('nothing is told of a session that is gone, or by a gateway that stops', async () => {
    const { news, told, change, lifetime, turn } = begin();
    change('connecting');
    lifetime.abort();
    await turn();
    assert.ok(id !== null);
    news.forget(id);
    change('connected');
    news.restarted(id, { cause: 'bug', kind: 'crash', detail: 'It ended.' }, 1);
    await turn();
    assert.deepEqual(told, []);
  });
});
