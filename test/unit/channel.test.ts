import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Channel, maxFrameBytes, type ChannelOptions, type Frame, type Port } from '../../src/contract/channel.ts';
import { WardenError } from '../../src/contract/errors.ts';

interface Calls {
  readonly ask: { body: unknown; answer: unknown };
}
interface Notices {
  readonly note: unknown;
}
type Answer = Calls['ask']['answer'];

/** A port whose other end is the test. */
function fakePort() {
  const sent: Frame[] = [];
  const done: ((error: Error | null) => void)[] = [];
  let hear: (frame: unknown) => void = () => {};
  let end: () => void = () => {};
  let isHeld = false;
  const port: Port = {
    send: (frame, callback) => {
      sent.push(frame);
      if (isHeld) done.push(callback);
      else callback(null);
    },
    onFrame: (listener) => (hear = listener),
    onClose: (listener) => (end = listener),
  };
  return {
    port,
    sent,
    hear: (frame: unknown) => hear(frame),
    end: () => end(),
    hold: () => (isHeld = true),
    leave: (error: Error | null = null) => done.splice(0).forEach((callback) => callback(error)),
    answer: (id: number, body: unknown = null) => hear({ kind: 'answer', id, body }),
  };
}

const options: ChannelOptions<Calls, Notices> = {
  handlers: { ask: async (body) => body },
  notices: { note: () => {} },
  window: { requests: 2, bytes: 1000 },
  overflow: 'reject',
  deadlineMs: 1000,
  timeoutCode: 'session_busy',
};
const open = (port: Port, change: Partial<ChannelOptions<Calls, Notices>> = {}) =>
  new Channel<Calls, Calls, Notices, Notices>(port, { ...options, ...change });
const code = (promise: Promise<Answer>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof WardenError ? error.code : 'something else'),
  );
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('requests', () => {
  test('that find no room are told of, one by one, and none that only waits', async () => {
    let refused = 0;
    const onRefused = () => (refused += 1);
    const full = open(fakePort().port, { onRefused });
    const asked = [1, 2, 3, 4].map((n) => code(full.request('ask', n)));
    assert.deepEqual(await Promise.all(asked.slice(2)), ['session_busy', 'session_busy']);
    assert.equal(refused, 2);
    full.close(new WardenError('session_restarted'));
    const patient = open(fakePort().port, { onRefused, overflow: 'wait' });
    const waiting = [1, 2, 3].map((n) => code(patient.request('ask', n)));
    patient.close(new WardenError('session_restarted'));
    await Promise.all([...asked, ...waiting]);
    assert.equal(refused, 2);
  });

  test('are matched with their answers in any order', async () => {
    const other = fakePort();
    const channel = open(other.port);
    const both = Promise.all([channel.request('ask', 'a'), channel.request('ask', 'b')]);
    other.answer(2, 'B');
    other.answer(1, 'A');
    assert.deepEqual(await both, ['A', 'B']);
    assert.equal(channel.inFlight, 0);
  });

  test('fail with the code, details and retry time of the other side', async () => {
    const other = fakePort();
    const request = open(other.port).request('ask', null);
    const plain = new WardenError('whatsapp_refused', {
      message: 'no',
      retryAfterMs: 5,
      details: [{ field: 'to', expected: 'x' }],
    });
    other.hear({ kind: 'error', id: 1, error: plain.toPlain() });
    await assert.rejects(request, {
      code: 'whatsapp_refused',
      message: 'no',
      retryAfterMs: 5,
      details: [{ field: 'to', expected: 'x' }],
    });
  });

  test('fail after their deadline, and a late answer changes nothing', async () => {
    const other = fakePort();
    const channel = open(other.port);
    assert.equal(await code(channel.request('ask', null, { deadlineMs: 5 })), 'session_busy');
    other.answer(1);
    assert.deepEqual([channel.inFlight, channel.dropped], [0, 0]);
    const store = open(fakePort().port, { timeoutCode: 'storage_unavailable', deadlineMs: 5 });
    assert.equal(await code(store.request('ask', null)), 'storage_unavailable');
  });

  test('can be given up', async () => {
    const other = fakePort();
    const channel = open(other.port);
    const caller = new AbortController();
    const request = code(channel.request('ask', null, { signal: caller.signal }));
    caller.abort(new WardenError('shutting_down'));
    assert.equal(await request, 'shutting_down');
    assert.equal(channel.inFlight, 0);
    assert.equal(await code(channel.request('ask', null, { signal: caller.signal })), 'shutting_down');
    assert.equal(other.sent.length, 1);
  });

  test('fail when the other side goes, also those that come later', async () => {
    const other = fakePort();
    let closes = 0;
    const channel = open(other.port, { onClose: () => closes++ });
    const request = code(channel.request('ask', null));
    other.end();
    other.end();
    assert.equal(await request, 'session_restarted');
    assert.equal(await code(channel.request('ask', null)), 'session_restarted');
    assert.deepEqual([channel.isClosed, closes], [true, 1]);
  });

  test('fail when they could not be sent', async () => {
    const other = fakePort();
    other.hold();
    const request = code(open(other.port).request('ask', null));
    other.leave(new Error('closed'));
    assert.equal(await request, 'session_restarted');
  });

  test('above one mebibyte are refused before anything is sent', async () => {
    const other = fakePort();
    const channel = open(other.port);
    assert.equal(await code(channel.request('ask', new Uint8Array(maxFrameBytes + 1))), 'payload_too_large');
    assert.equal(await code(channel.request('ask', [{ text: 'x'.repeat(maxFrameBytes) }])), 'payload_too_large');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    assert.equal(await code(channel.request('ask', circle)), 'payload_too_large');
    assert.equal(other.sent.length, 0);
  });
});

describe('the credit window', () => {
  test('refuses what exceeds the number of requests, with a time to retry', async () => {
    const other = fakePort();
    const channel = open(other.port);
    const first = channel.request('ask', 1);
    const second = code(channel.request('ask', 2));
    await assert.rejects(channel.request('ask', 3), { code: 'session_busy', retryAfterMs: 1000 });
    other.answer(1);
    await first;
    const fourth = code(channel.request('ask', 4));
    other.answer(2);
    other.answer(3);
    assert.deepEqual(await Promise.all([second, fourth]), ['answered', 'answered']);
  });

  test('counts bytes, but lets a single large request through', async () => {
    const other = fakePort();
    const channel = open(other.port);
    const large = code(channel.request('ask', new Uint8Array(5000)));
    assert.equal(await code(channel.request('ask', 1)), 'session_busy');
    other.answer(1);
    assert.equal(await large, 'answered');
  });

  test('an urgent request passes it', async () => {
    const other = fakePort();
    const channel = open(other.port);
    const all = [channel.request('ask', 1), channel.request('ask', 2), channel.request('ask', 3, { urgent: true })];
    assert.equal(other.sent.length, 3);
    for (const id of [1, 2, 3]) other.answer(id);
    await Promise.all(all);
  });

  test('with overflow wait holds requests back in order, and only so many', async () => {
    const other = fakePort();
    const channel = open(other.port, { overflow: 'wait', window: { requests: 1, bytes: 1000, waiting: 2 } });
    const all = [1, 2, 3].map((body) => channel.request('ask', body));
    assert.equal(await code(channel.request('ask', 4)), 'session_busy');
    assert.deepEqual([other.sent.length, channel.inFlight], [1, 3]);
    other.answer(1);
    await all[0];
    other.answer(2);
    other.answer(3);
    await Promise.all(all);
    assert.deepEqual(
      other.sent.map((frame) => (frame.kind === 'request' ? frame.body : null)),
      [1, 2, 3],
    );
  });

  test('a request that waits can miss its deadline', async () => {
    const other = fakePort();
    const channel = open(other.port, { overflow: 'wait', window: { requests: 1, bytes: 1000 } });
    const first = code(channel.request('ask', 1));
    assert.equal(await code(channel.request('ask', 2, { deadlineMs: 5 })), 'session_busy');
    other.answer(1);
    assert.equal(await first, 'answered');
    assert.equal(other.sent.length, 1);
  });
});

describe('serving', () => {
  test('answers requests, and an empty answer as null', async () => {
    const other = fakePort();
    open(other.port, { handlers: { ask: async (body) => (body === 'none' ? undefined : body) } });
    other.hear({ kind: 'request', id: 1, name: 'ask', body: 'x' });
    other.hear({ kind: 'request', id: 2, name: 'ask', body: 'none' });
    await turn();
    assert.deepEqual(other.sent, [
      { kind: 'answer', id: 1, body: 'x' },
      { kind: 'answer', id: 2, body: null },
    ]);
  });

  test('tells errors by their code, and hides what is not one of ours', async () => {
    const other = fakePort();
    let thrown: unknown = new WardenError('not_paired');
    open(other.port, {
      handlers: {
        ask: () => {
          throw thrown;
        },
      },
    });
    other.hear({ kind: 'request', id: 1, name: 'ask', body: null });
    thrown = new Error('secret');
    other.hear({ kind: 'request', id: 2, name: 'ask', body: null });
    other.hear({ kind: 'request', id: 3, name: 'toString', body: null });
    await turn();
    const codes = other.sent.map((frame) => (frame.kind === 'error' ? frame.error.code : null));
    assert.deepEqual(codes.map(String).sort(), ['internal_error', 'internal_error', 'not_paired']);
    assert.doesNotMatch(JSON.stringify(other.sent), /secret/);
  });

  test('an answer that is too large becomes an error', async () => {
    const other = fakePort();
    open(other.port, { handlers: { ask: async () => new Uint8Array(maxFrameBytes + 1) } });
    other.hear({ kind: 'request', id: 1, name: 'ask', body: null });
    await turn();
    const [frame] = other.sent;
    assert.equal(frame?.kind === 'error' ? frame.error.code : null, 'payload_too_large');
  });

  test('malformed and unknown frames are dropped and counted, and never thrown', () => {
    const other = fakePort();
    const channel = open(other.port, {
      notices: {
        note: () => {
          throw new Error('a listener that cannot read it');
        },
      },
    });
    const junk = [
      null,
      1,
      'x',
      {},
      { kind: 'request' },
      { kind: 'answer', id: '1' },
      { kind: 'error', id: 1 },
      { kind: 'notice', name: 'other' },
      { kind: 'notice', name: 'note' },
    ];
    for (const frame of junk) other.hear(frame);
    assert.equal(channel.dropped, junk.length);
  });

  test('a flood of requests is answered as busy', async () => {
    const other = fakePort();
    open(other.port, { handlers: { ask: () => new Promise(() => {}) } });
    for (let id = 1; id <= 20; id++) other.hear({ kind: 'request', id, name: 'ask', body: null });
    await turn();
    assert.equal(other.sent.length, 12);
    assert.ok(other.sent.every((frame) => frame.kind === 'error' && frame.error.code === 'session_busy'));
  });
});

describe('notices and flush', () => {
  test('notices that cannot leave are bounded', () => {
    const other = fakePort();
    other.hold();
    const channel = open(other.port);
    const told = Array.from({ length: 5 }, () => channel.notify('note', new Uint8Array(400)));
    assert.deepEqual(told, [true, true, false, false, false]);
    assert.equal(channel.dropped, 3);
    other.leave();
    assert.equal(channel.notify('note', null), true);
  });

  test('flush waits until everything has left', async () => {
    const other = fakePort();
    other.hold();
    const channel = open(other.port);
    channel.notify('note', 1);
    let isFlushed = false;
    const flushed = channel.flush().then(() => (isFlushed = true));
    await turn();
    assert.equal(isFlushed, false);
    other.leave();
    await flushed;
  });

  test('flush does not wait for a closed channel', async () => {
    const other = fakePort();
    other.hold();
    const channel = open(other.port);
    channel.notify('note', 1);
    const flushed = channel.flush();
    channel.close(new WardenError('session_restarted'));
    await flushed;
  });
});
