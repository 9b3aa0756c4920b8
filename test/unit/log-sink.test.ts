import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogSink } from '../../src/log-sink.ts';
import { eventually } from '../support/eventually.ts';

/** A sink on a descriptor that takes so many bytes, and then fails with a code of the system. */
function fixture(capBytes = 100) {
  let written = '';
  const dropped: number[] = [];
  const seen = { room: Number.POSITIVE_INFINITY, code: 'EAGAIN', dropped, calls: 0 };
  const sink = createLogSink({
    capBytes,
    write: (bytes) => {
      seen.calls += 1;
      if (seen.room <= 0) throw Object.assign(new Error('write'), { code: seen.code });
      const taken = bytes.subarray(0, seen.room);
      seen.room -= taken.length;
      written += Buffer.from(taken).toString('utf8');
      return taken.length;
    },
    onDropped: (lines) => {
      seen.dropped.push(lines);
      sink.write(`dropped ${lines}\n`);
    },
  });
  return { sink, seen, written: () => written };
}

describe('log lines', () => {
  test('are out at once while their destination takes them', () => {
    const { sink, written } = fixture();
    sink.write('one\n');
    sink.write('two\n');
    assert.equal(written(), 'one\ntwo\n');
  });

  test('wait while nobody reads, and come out whole and in order', async () => {
    const { sink, seen, written } = fixture();
    seen.room = 2;
    for (const line of ['one\n', 'two\n', 'three\n']) sink.write(line);
    assert.equal(written(), 'on');
    seen.room = Number.POSITIVE_INFINITY;
    await eventually(() => written() === 'one\ntwo\nthree\n');
    assert.deepEqual(seen.dropped, []);
  });

  test('beyond the cap are dropped and counted, and one line says how many', async () => {
    const { sink, seen, written } = fixture(20);
    seen.room = 0;
    for (let n = 0; n < 10; n++) sink.write(`line ${n}\n`);
    assert.equal(written(), '');
    seen.room = Number.POSITIVE_INFINITY;
    await eventually(() => seen.dropped.length > 0);
    assert.equal(written(), 'line 0\nline 1\ndropped 8\n');
    sink.write('later\n');
    assert.match(written(), /dropped 8\nlater\n$/);
  });

  test('survive a disk that is full, and go on when it has room again', async () => {
    const { sink, seen, written } = fixture();
    seen.room = 0;
    seen.code = 'ENOSPC';
    sink.write('one\n');
    sink.write('two\n');
    seen.room = Number.POSITIVE_INFINITY;
    await eventually(() => written() === 'one\ntwo\n');
  });

  test('are given up when nobody will ever read them', () => {
    const { sink, seen } = fixture();
    seen.room = 0;
    seen.code = 'EPIPE';
    sink.write('one\n');
    sink.write('two\n');
    sink.flushSync();
    assert.equal(seen.calls, 1);
  });

  test('that wait are written when the process ends, if they can be', () => {
    const { sink, seen, written } = fixture();
    seen.room = 0;
    sink.write('one\n');
    sink.write('two\n');
    sink.flushSync();
    assert.equal(written(), '');
    seen.room = Number.POSITIVE_INFINITY;
    sink.flushSync();
    assert.equal(written(), 'one\ntwo\n');
  });
});
