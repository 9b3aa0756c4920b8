import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classifyAttempt, type AttemptContext } from '../../src/webhooks/classify-attempt.ts';
import { defaultRetryScheduleMs, parseRetryAfter, retryAfterCapMs, retryDelayMs } from '../../src/webhooks/schedule.ts';

const scheduleMs = [0, 5000, 30_000];

describe('the retry schedule', () => {
  test('is about three days long, and ends', () => {
    const total = defaultRetryScheduleMs.reduce((sum, delay) => sum + delay, 0);
    assert.ok(total > 3 * 86_400_000 && total < 3.5 * 86_400_000);
    const attemptsMade = defaultRetryScheduleMs.length;
    assert.equal(
      retryDelayMs({ attemptsMade, scheduleMs: defaultRetryScheduleMs, retryAfterMs: null, random: 0 }),
      null,
    );
    assert.equal(
      retryDelayMs({ attemptsMade, scheduleMs: defaultRetryScheduleMs, retryAfterMs: 1000, random: 0 }),
      null,
    );
  });

  test('spreads each delay by a fifth to both sides', () => {
    const delay = (random: number) => retryDelayMs({ attemptsMade: 1, scheduleMs, retryAfterMs: null, random });
    assert.equal(delay(0), 4000);
    assert.equal(delay(0.5), 5000);
    assert.equal(delay(0.999_999), 6000);
  });

  test('honours a longer Retry-After, up to a day, and ignores a shorter one', () => {
    const delay = (retryAfterMs: number) => retryDelayMs({ attemptsMade: 1, scheduleMs, retryAfterMs, random: 0.5 });
    assert.equal(delay(60_000), 60_000);
    assert.equal(delay(1000), 5000);
    assert.equal(delay(10 * retryAfterCapMs), retryAfterCapMs);
  });

  test('reads Retry-After as seconds or as a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    assert.equal(parseRetryAfter('120', now), 120_000);
    assert.equal(parseRetryAfter(' 7 ', now), 7000);
    assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now), 60_000);
    assert.equal(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now), 0);
    for (const junk of [null, '', 'soon', '-5', '1.5', '99999999999', '2026-01-01'])
      assert.equal(parseRetryAfter(junk, now), null);
  });
});

describe('an attempt', () => {
  const context: AttemptContext = { attemptsBefore: 0, isDue: true, scheduleMs, now: 0, random: 0.5 };
  const answered = (status: number, before = 0, retryAfter: string | null = null) =>
    classifyAttempt(
      { tag: 'answered', status, retryAfter, isAborted: false, excerpt: 'no', durationMs: 12 },
      { ...context, attemptsBefore: before },
    );

  test('delivers with any 2xx', () => {
    for (const status of [200, 201, 202, 204, 299]) assert.equal(answered(status).tag, 'delivered');
  });

  test('is repeated after everything else, redirects included, until the schedule ends', () => {
    for (const status of [301, 302, 307, 400, 401, 404, 429, 500, 502, 503]) {
      const outcome = answered(status);
      assert.ok(outcome.tag === 'retry' && outcome.delayMs === 5000, String(status));
      assert.equal(answered(status, 1).tag, 'retry');
      assert.equal(answered(status, 2).tag, 'dead');
    }
  });

  test('is the last one when the receiver says that it is gone', () => {
    assert.equal(answered(410).tag, 'dead');
  });

  test('is the last one when the receiver asks for no repetition, unless it took the delivery', () => {
    const aborted = (status: number) =>
      classifyAttempt(
        { tag: 'answered', status, retryAfter: null, isAborted: true, excerpt: null, durationMs: 1 },
        context,
      ).tag;
    assert.equal(aborted(500), 'dead');
    assert.equal(aborted(200), 'delivered');
  });

  test('made before its time changes nothing when it fails, and everything when it does not', () => {
    const early = (status: number) =>
      classifyAttempt(
        { tag: 'answered', status, retryAfter: null, isAborted: false, excerpt: null, durationMs: 1 },
        { ...context, attemptsBefore: 99, isDue: false },
      ).tag;
    assert.equal(early(500), 'probed');
    assert.equal(early(204), 'delivered');
    assert.equal(early(410), 'dead');
  });

  test('that failed on the way is repeated, and one that was interrupted is due at once', () => {
    const failed = classifyAttempt({ tag: 'failed', error: 'refused', durationMs: 1 }, context);
    assert.ok(failed.tag === 'retry' && failed.httpStatus === null && failed.delayMs === 5000);
    const cut = classifyAttempt({ tag: 'interrupted', durationMs: 1 }, { ...context, attemptsBefore: 99 });
    assert.ok(cut.tag === 'retry' && cut.delayMs === 0);
  });
});
