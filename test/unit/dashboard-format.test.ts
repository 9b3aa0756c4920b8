import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  formatAgo,
  formatBytes,
  formatDuration,
  formatPhone,
  formatWords,
  percentOf,
} from '../../src/api/dashboard/format.ts';
import { sparklinePoints } from '../../src/api/dashboard/sparkline.ts';

describe('numbers on a page', () => {
  test('have a unit, and a dash where nothing is known', () => {
    assert.equal(formatBytes(null), '–');
    assert.equal(formatBytes(0), '0 B');
    assert.equal(formatBytes(15_728_640), '15.0 MB');
    assert.equal(formatBytes(201_326_592), '192 MB');
    assert.equal(formatDuration(230), '230 ms');
    assert.equal(formatDuration(3_723_000), '1 h 2 min');
    assert.equal(formatDuration(86_400_000), '1 d');
  });

  test('tell how long ago, and how long from now', () => {
    const now = 1_767_225_600_000;
    assert.equal(formatAgo(now - 3000, now), 'just now');
    assert.equal(formatAgo(now - 59_000, now), '59 s ago');
    assert.equal(formatAgo(now - 3_600_000, now), '1 h ago');
    assert.equal(formatAgo(now + 120_000, now), 'in 2 min');
  });

  test('show numbers as people dial them, and other addresses as they are', () => {
    assert.equal(formatPhone('15551234567@s.whatsapp.net'), '+15551234567');
    assert.equal(formatPhone('100000000000001@lid'), '100000000000001');
    assert.equal(formatPhone(null), '–');
  });

  test('name states in words', () => {
    assert.equal(formatWords('waiting_for_qr'), 'Waiting for QR');
  });

  test('never show more than the whole', () => {
    assert.equal(percentOf(50, 200), 25);
    assert.equal(percentOf(300, 200), 100);
    assert.equal(percentOf(1, 0), null);
    assert.equal(percentOf(null, 10), null);
  });
});

describe('a sparkline', () => {
  const box = { width: 10, height: 4, ceiling: 8 };

  test('runs from left to right, the higher the value the nearer to the top', () => {
    assert.equal(sparklinePoints([0, 4, 8], box), '0.0,4.0 5.0,2.0 10.0,0.0');
  });

  test('bridges gaps, stays inside its box, and needs two values', () => {
    assert.equal(sparklinePoints([0, null, 80], box), '0.0,4.0 10.0,0.0');
    assert.equal(sparklinePoints([null, 3], box), '');
    assert.equal(sparklinePoints([], box), '');
  });
});
