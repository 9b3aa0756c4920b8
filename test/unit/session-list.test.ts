import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pageOf, queryOf, wishesOf, withActivity, type ListedSession } from '../../src/api/dashboard/session-list.ts';
import { barParts, countByStatus } from '../../src/api/dashboard/session-tone.ts';
import type { SessionResource } from '../../src/contract/operations/sessions.ts';

const session = (number: number, change: Partial<ListedSession> = {}): ListedSession => ({
  id: `shop-${number}`,
  name: null,
  phone_number: `1555000${1000 + number}`,
  push_name: null,
  status: 'connected',
  status_reason: 'Connected to WhatsApp.',
  created_at: number,
  updated_at: number,
  last_connected_at: number,
  activity_at: number,
  is_logged_in: true,
  sandbox: false,
  isolated: null,
  pacing: null,
  child: null,
  ...change,
});
const ids = (sessions: readonly SessionResource[]) => sessions.map(({ id }) => id);

describe('the list of sessions', () => {
  const many = Array.from({ length: 120 }, (_, number) => session(number));

  test('comes in pages, and a page that is not there any more is the last one', () => {
    assert.deepEqual(ids(pageOf(many, wishesOf({})).sessions).slice(0, 2), ['shop-0', 'shop-1']);
    const last = pageOf(many, wishesOf({ page: '9' }));
    assert.deepEqual([last.page, last.pages, last.sessions.length, last.matching], [3, 3, 20, 120]);
  });

  test('tells of the later of a message and a connection, and of neither when there was none', () => {
    const connected = session(7);
    assert.equal(withActivity(connected, 9500).activity_at, 9);
    assert.equal(withActivity(connected, 2000).activity_at, 7);
    assert.equal(withActivity({ ...connected, last_connected_at: null }, undefined).activity_at, null);
  });

  test('is searched by id, name and number, however the number is written', () => {
    const named = [...many, session(200, { name: 'Café Nord' })];
    assert.deepEqual(ids(pageOf(named, wishesOf({ q: 'café' })).sessions), ['shop-200']);
    assert.deepEqual(ids(pageOf(named, wishesOf({ q: '+1 (555) 000-1007' })).sessions), ['shop-7']);
    assert.equal(pageOf(named, wishesOf({ q: 'nobody' })).matching, 0);
  });

  test('is filtered by status and sorted either way', () => {
    const mixed = [session(1), session(2, { status: 'failed' }), session(3, { status: 'failed' })];
    const wishes = wishesOf({ status: 'failed', sort: '-id' });
    assert.deepEqual(ids(pageOf(mixed, wishes).sessions), ['shop-3', 'shop-2']);
  });

  test('takes nonsense in the address for the default', () => {
    const wishes = wishesOf({ status: 'sleeping', sort: 'price', page: '-1' });
    assert.deepEqual(wishes, { search: '', status: null, sort: 'created', isDescending: false, page: 1 });
  });

  test('keeps in its links what was wished for', () => {
    const wishes = wishesOf({ q: 'shop', sort: '-memory', page: '2' });
    assert.equal(queryOf(wishes, { page: 1 }), 'q=shop&sort=-memory');
    assert.equal(queryOf(wishesOf({}), {}), '');
  });
});

describe('the bar of statuses', () => {
  test('shows each status by its share, without those that nobody has', () => {
    const counts = countByStatus([session(1), session(2), session(3, { status: 'failed' })]);
    assert.deepEqual(
      barParts(counts, 300).map(({ status, x, width }) => [status, x, width]),
      [
        ['connected', 0, 200],
        ['failed', 200, 100],
      ],
    );
  });
});
