import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { superadmin, type Principal } from '../../src/api/auth/principal.ts';
import { RecentFrames, type Frame } from '../../src/api/streams/recent-frames.ts';
import { isSelected, selectionOf, type Wanted } from '../../src/api/streams/selection.ts';
import { formatPosition, parsePosition } from '../../src/api/streams/stream-position.ts';
import { sessionId } from '../support/store-fixtures.ts';

const frame = (position: number, bytes = 10, isNotice = false): Frame => ({
  session: 'a',
  name: 'message',
  position,
  isNotice,
  bytes: Buffer.alloc(bytes),
});

/** The positions that somebody sees who goes on from a place; null when that is too long ago. */
function after(recent: RecentFrames, position: number): readonly number[] | null {
  const first = recent.numberAfter(position);
  if (first === null) return null;
  const seen: number[] = [];
  for (let number = first; ; number += 1) {
    const each = recent.at(number);
    if (each === null || each === 'gone') return seen;
    seen.push(each.position);
  }
}

describe('the latest frames', () => {
  test('serve whoever has seen what came before them', () => {
    const recent = new RecentFrames(5, 1000);
    assert.deepEqual(after(recent, 5), []);
    assert.equal(after(recent, 4), null);
    for (const position of [6, 7, 8]) recent.add(frame(position));
    assert.deepEqual(after(recent, 5), [6, 7, 8]);
    assert.deepEqual(after(recent, 7), [8]);
    assert.deepEqual(after(recent, 9), []);
    assert.equal(after(recent, 4), null);
    assert.equal(recent.tail, 8);
  });

  test('stay within their budget, and say when a reader was left behind', () => {
    const recent = new RecentFrames(0, 25);
    recent.add(frame(1));
    const number = recent.numberAfter(0);
    for (const position of [2, 3, 4]) recent.add(frame(position));
    assert.equal(recent.at(number ?? -1), 'gone');
    assert.equal(after(recent, 1), null);
    assert.deepEqual(after(recent, 2), [3, 4]);
    recent.add(frame(5, 5000));
    assert.equal(after(recent, 3), null);
    assert.deepEqual(after(recent, 4), [5]);
  });

  test('do not tell notices again to who begins after them', () => {
    const recent = new RecentFrames(0, 1000);
    recent.add(frame(1));
    recent.add(frame(1, 10, true));
    assert.deepEqual(after(recent, 0), [1, 1]);
    assert.deepEqual(after(recent, 1), []);
  });
});

test('an id stands for its position in its own database, and for nothing in another or in the future', () => {
  const head = { identity: '0badcafe', position: 42 };
  assert.equal(parsePosition(formatPosition({ ...head, position: 7 }), head), 7);
  assert.equal(parsePosition(formatPosition(head), head), 42);
  for (const id of ['0badcafe-43', '0badcaff-7', '7', 'x', '0badcafe--1', '0badcafe-7 ', '0BADCAFE-7']) {
    assert.equal(typeof parsePosition(id, head), 'object', id);
  }
});

describe('what a stream tells', () => {
  const [a, b, c] = [sessionId('a'), sessionId('b'), sessionId('c')];
  const all: Wanted = { only: null, sessions: null, names: null };
  const reader: Principal = { id: 'reader', scopes: ['read'], sessions: [a, b] };
  const event = (session: string, name = 'message') => ({ session, name });

  test('is everything for who may see everything', () => {
    const selection = selectionOf(superadmin, all);
    assert.deepEqual(selection, { sessions: null, names: null });
    assert.ok(selection !== null && isSelected(selection, event('c', 'qr_code')));
  });

  test('is never more than the token allows', () => {
    const selection = selectionOf(reader, { ...all, sessions: [b, c] });
    assert.deepEqual(selection?.sessions, ['b']);
    assert.ok(selection !== null && isSelected(selection, event('b')));
    for (const other of [event('a'), event('c'), event('b', 'qr_code'), event('b', 'pair_code')]) {
      assert.equal(isSelected(selection, other), false);
    }
    assert.deepEqual(selectionOf(reader, { ...all, names: ['qr_code', 'call'] })?.names, ['call']);
    assert.equal(selectionOf(reader, { ...all, only: c }), null);
    assert.equal(selectionOf({ ...reader, scopes: ['send'] }, all), null);
    assert.equal(selectionOf(null, all), null);
  });
});
