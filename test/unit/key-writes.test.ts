import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyWrites } from '../../src/child/key-writes.ts';
import type { KeyMutations, StoredValue } from '../../src/contract/ipc.ts';

const bytes = (...values: number[]): StoredValue => Uint8Array.from(values);

function recorded(outcome: () => Promise<void> = () => Promise.resolve()) {
  const commits: { readonly mutations: KeyMutations; readonly creds: StoredValue | null }[] = [];
  const writes = new KeyWrites((mutations, creds) => {
    commits.push({ mutations, creds });
    return outcome();
  });
  return { writes, commits };
}

describe('key writes', () => {
  test('what is written in one turn is one commit, in which the last value of a key counts', async () => {
    const { writes, commits } = recorded();
    await Promise.all([
      writes.add({ session: { a: bytes(1), b: bytes(2) } }, bytes(9)),
      Promise.resolve().then(() => writes.add({ session: { a: null }, inbox: { m: bytes(3) } }, null)),
    ]);
    await writes.add({ session: { a: bytes(4) } }, null);
    assert.deepEqual(commits, [
      { mutations: { session: { a: null, b: bytes(2) }, inbox: { m: bytes(3) } }, creds: bytes(9) },
      { mutations: { session: { a: bytes(4) } }, creds: null },
    ]);
  });

  test('nobody is told of success when the commit fails', async () => {
    const { writes } = recorded(() => Promise.reject(new Error('fenced')));
    const outcomes = await Promise.allSettled([
      writes.add({ session: { a: bytes(1) } }, null),
      writes.add({ session: { b: bytes(1) } }, null),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
  });

  test('what is too much for one request travels in several, in order', async () => {
    const { writes, commits } = recorded();
    const large = new Uint8Array(200 * 1024);
    await Promise.all(['a', 'b', 'c'].map((id) => writes.add({ session: { [id]: large } }, null)));
    assert.deepEqual(
      commits.map(({ mutations }) => Object.keys(mutations['session'] ?? {})),
      [['a'], ['b'], ['c']],
    );
  });

  test('what rides along is handed over right before the next key write, and by itself when none comes', async () => {
    const order: string[] = [];
    const writes = new KeyWrites(() => {
      order.push('keys');
      return Promise.resolve();
    });
    writes.ride(() => order.push('first'));
    writes.ride(() => order.push('second'));
    await writes.add({ session: { a: bytes(1) } }, null);
    assert.deepEqual(order, ['first', 'second', 'keys']);
    await new Promise<void>((resolve) => writes.ride(resolve));
    assert.deepEqual(order, ['first', 'second', 'keys']);
  });

  test('a flush hands over at once, and once only', async () => {
    const { writes, commits } = recorded();
    const written = writes.add({ session: { a: bytes(1) } }, null);
    writes.flush();
    writes.flush();
    assert.equal(commits.length, 1);
    await written;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(commits.length, 1);
  });
});
