import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { presentTraffic, trafficWindow } from '../../src/api/presenters/vitals.ts';
import { TimeSeries } from '../../src/supervisor/time-series.ts';

describe('a series of samples', () => {
  test('keeps the latest in order, and knows gaps from zeros', () => {
    const series = new TimeSeries(['bytes', 'percent'], 3);
    assert.deepEqual([series.lastAt, series.read()], [null, []]);
    for (const at of [1, 2, 3, 4]) series.add(at, { bytes: at * 10, percent: at === 4 ? null : 0 });
    assert.equal(series.lastAt, 4);
    assert.deepEqual(series.read(), [
      { at: 2, values: { bytes: 20, percent: 0 } },
      { at: 3, values: { bytes: 30, percent: 0 } },
      { at: 4, values: { bytes: 40, percent: null } },
    ]);
  });
});

describe('messages hour by hour', () => {
  test('cover whole hours up to the present one, those without messages too', () => {
    const now = 1_767_225_600_000 + 30 * 60_000;
    const window = trafficWindow(3, now);
    const found = [{ at: 1_767_225_600_000 - 3_600_000, received: 2, sent: 1, failed: 0 }];
    assert.deepEqual(presentTraffic(found, window), {
      bucket_seconds: 3600,
      buckets: [
        { at: 1_767_218_400, received: 0, sent: 0, failed: 0 },
        { at: 1_767_222_000, received: 2, sent: 1, failed: 0 },
        { at: 1_767_225_600, received: 0, sent: 0, failed: 0 },
      ],
    });
  });
});
