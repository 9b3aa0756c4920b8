import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { objectionToSendAt, readSendAt } from '../../src/contract/send-at.ts';
import { dueDelayMs } from '../../src/supervisor/due-delay.ts';

const utc = (text: string): number => new Date(text).getTime();
const day = 24 * 3_600_000;

describe('send_at', () => {
  const instants: readonly (readonly [string | number, string])[] = [
    ['2027-01-31T09:30:00Z', '2027-01-31T09:30:00.000Z'],
    ['2027-01-31t09:30:00z', '2027-01-31T09:30:00.000Z'],
    ['2027-01-31 09:30Z', '2027-01-31T09:30:00.000Z'],
    ['2027-01-31T09:30:00+01:00', '2027-01-31T08:30:00.000Z'],
    ['2027-01-31T09:30:00+0100', '2027-01-31T08:30:00.000Z'],
    ['2027-01-31T09:30:00+01', '2027-01-31T08:30:00.000Z'],
    ['2027-01-31T09:30:00-00:00', '2027-01-31T09:30:00.000Z'],
    ['2027-01-31T09:30:00+05:45', '2027-01-31T03:45:00.000Z'],
    ['2027-01-31T09:30:00-09:30', '2027-01-31T19:00:00.000Z'],
    ['2027-01-01T00:30:00+14:00', '2026-12-31T10:30:00.000Z'],
    ['2027-12-31T23:30:00-12:00', '2028-01-01T11:30:00.000Z'],
    ['2028-02-29T12:00:00Z', '2028-02-29T12:00:00.000Z'],
    ['2026-12-31T23:59:60Z', '2027-01-01T00:00:00.000Z'],
    ['2027-01-31T09:30:00.5Z', '2027-01-31T09:30:00.500Z'],
    ['2027-01-31T09:30:00,123456789Z', '2027-01-31T09:30:00.123Z'],
    ['  2027-01-31T09:30:00Z ', '2027-01-31T09:30:00.000Z'],
    [1_801_387_800, '2027-01-31T09:30:00.000Z'],
    ['1801387800', '2027-01-31T09:30:00.000Z'],
    [1_801_387_800.25, '2027-01-31T09:30:00.250Z'],
  ];
  for (const [value, expected] of instants) {
    test(`${JSON.stringify(value)} is ${expected}`, () => {
      assert.deepEqual(readSendAt(value), { tag: 'instant', at: utc(expected) });
    });
  }

  const refusals: readonly (readonly [string | number, RegExp])[] = [
    ['2027-01-31T09:30:00', /without an offset/],
    ['2027-01-31 09:30', /without an offset/],
    ['2027-01-31', /date and time/],
    ['tomorrow', /ISO 8601/],
    ['', /ISO 8601/],
    ['09:30+01:00', /ISO 8601/],
    ['2027-02-29T12:00:00Z', /does not exist/],
    ['2027-13-01T12:00:00Z', /does not exist/],
    ['2027-04-31T12:00:00Z', /does not exist/],
    ['2027-00-10T12:00:00Z', /does not exist/],
    ['2027-01-31T24:00:00Z', /does not exist/],
    ['2027-01-31T09:60:00Z', /does not exist/],
    ['2027-01-31T09:30:61Z', /does not exist/],
    ['2027-01-31T09:30:00+24:00', /does not exist/],
    ['2027-01-31T09:30:00+01:60', /does not exist/],
    ['2027-01-31T09:30:00 Europe/Berlin', /ISO 8601/],
    [1_801_387_800_000, /milliseconds/],
    ['1801387800000', /milliseconds/],
    [-5, /unix seconds/],
    [Number.NaN, /unix seconds/],
  ];
  for (const [value, expected] of refusals) {
    test(`${JSON.stringify(value)} is refused with a reason`, () => {
      const reading = readSendAt(value);
      assert.equal(reading.tag, 'refused');
      assert.match(reading.tag === 'refused' ? reading.expected : '', expected);
    });
  }

  test('may lie a minute back and a year ahead, not more', () => {
    const now = utc('2027-01-31T09:30:00Z');
    assert.equal(objectionToSendAt(now - 60_000, now), null);
    assert.match(objectionToSendAt(now - 60_001, now) ?? '', /past/);
    assert.equal(objectionToSendAt(now + 366 * day, now), null);
    assert.match(objectionToSendAt(now + 366 * day + 1, now) ?? '', /year/);
  });
});

describe('the clock of scheduled messages', () => {
  test('rings when the next one is due, and at the latest after a minute', () => {
    assert.equal(dueDelayMs(5500, 5000), 500);
    assert.equal(dueDelayMs(5000 + 40 * day, 5000), 60_000);
    assert.equal(dueDelayMs(null, 5000), 60_000);
  });

  test('does not spin over a message that is due and belongs to another gateway', () => {
    assert.equal(dueDelayMs(5000, 5000), 2000);
    assert.equal(dueDelayMs(1, 5000), 2000);
  });
});
