import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  dayMs,
  limitsOf,
  longest,
  newChatAllowance,
  newChatHold,
  paceOf,
  rateHold,
  refill,
  reserveOf,
  struck,
  waitMs,
  type PacingLimits,
} from '../../src/supervisor/pacing-policy.ts';

const limits: PacingLimits = {
  isEnabled: true,
  messagesPerSecond: 1,
  burst: 20,
  newChatsPerDay: 100,
  warmUpDays: 10,
  warmUpNewChats: 20,
};
const none = { newChats: null, slowDown: null };
const now = 1_767_225_600_000;

describe('the limits of a session', () => {
  test('are those of the gateway where the session says nothing', () => {
    assert.equal(limitsOf(limits, null), limits);
    assert.deepEqual(limitsOf(limits, { burst: 3 }), { ...limits, burst: 3 });
    assert.deepEqual(limitsOf(limits, { enabled: false, new_chats_per_day: 0 }), {
      ...limits,
      isEnabled: false,
      newChatsPerDay: 0,
    });
  });
});

describe('the pace of a session', () => {
  const pace = paceOf(limits, none, now);

  test('lets a burst through and then one message after the other', () => {
    let bucket = { tokens: 20, at: 0 };
    const waits = Array.from({ length: 23 }, () => {
      const wait = waitMs(bucket, pace, 1);
      bucket = { ...bucket, tokens: bucket.tokens - 1 };
      return wait;
    });
    assert.deepEqual(waits.slice(17), [0, 0, 0, 1000, 2000, 3000]);
  });

  test('gathers a new burst in quiet times, and never more than one', () => {
    assert.equal(refill({ tokens: 0, at: 0 }, pace, 5000).tokens, 5);
    assert.equal(refill({ tokens: 0, at: 0 }, pace, 3_600_000).tokens, 20);
    assert.equal(refill({ tokens: 3, at: 5000 }, pace, 4000).tokens, 3);
  });

  test('halves with each 429 that follows another, without a burst, until its time is over', () => {
    const slow = (count: number) => ({ newChats: null, slowDown: { count, since: now, until: now + 1000 } });
    assert.deepEqual(paceOf(limits, slow(1), now), { perSecond: 0.5, burst: 1 });
    assert.deepEqual(paceOf(limits, slow(2), now), { perSecond: 0.25, burst: 1 });
    assert.equal(paceOf(limits, slow(30), now).perSecond, 1 / 16);
    assert.deepEqual(paceOf(limits, slow(2), now + 1000), pace);
  });

  test('keeps half of a burst for those who answer somebody', () => {
    assert.equal(reserveOf(pace), 10);
    assert.equal(reserveOf({ perSecond: 1, burst: 1 }), 0);
  });
});

describe('new chats', () => {
  test('rise day by day while a session is new', () => {
    const on = (day: number) => newChatAllowance(limits, now, now + day * dayMs);
    assert.deepEqual(on(0), { perDay: 20, warmUp: { day: 1, days: 10 } });
    assert.deepEqual(on(5), { perDay: 60, warmUp: { day: 6, days: 10 } });
    assert.deepEqual(on(9.9), { perDay: 92, warmUp: { day: 10, days: 10 } });
    assert.deepEqual(on(10), { perDay: 100, warmUp: null });
  });

  test('of a session that was never linked are those of the first day', () => {
    assert.equal(newChatAllowance(limits, null, now).perDay, 20);
  });

  test('have no limit, and no warm-up, where they are not limited', () => {
    assert.deepEqual(newChatAllowance({ ...limits, newChatsPerDay: 0 }, now, now), { perDay: null, warmUp: null });
    assert.deepEqual(newChatAllowance({ ...limits, warmUpDays: 0 }, now, now), { perDay: 100, warmUp: null });
  });

  test('wait until one of the last 24 hours is a day old', () => {
    const allowance = { perDay: 2, warmUp: null };
    const facts = { backoff: none, allowance };
    assert.equal(newChatHold({ ...facts, openedAt: [now - 5000] }, now), null);
    const hold = newChatHold({ ...facts, openedAt: [now - 9000, now - 5000, now - 1000] }, now);
    assert.equal(hold?.until, now - 5000 + dayMs);
    assert.match(hold?.reason ?? '', /3 of 2 new chats/);
    assert.equal(newChatHold({ ...facts, openedAt: [now - dayMs - 1, now - 1000] }, now), null);
  });

  test('that a warm-up holds back say so', () => {
    const allowance = { perDay: 1, warmUp: { day: 3, days: 14 } };
    assert.match(newChatHold({ backoff: none, allowance, openedAt: [now] }, now)?.reason ?? '', /day 3 of 14/);
  });

  test('wait out a 463, however many are left for the day', () => {
    const backoff = { newChats: { count: 1, since: now, until: now + 5000 }, slowDown: null };
    const facts = { backoff, allowance: { perDay: null, warmUp: null }, openedAt: [] };
    assert.equal(newChatHold(facts, now)?.until, now + 5000);
    assert.match(newChatHold(facts, now)?.reason ?? '', /463/);
    assert.equal(newChatHold(facts, now + 5000), null);
  });
});

describe('a refusal', () => {
  const backoff = { baseMs: 1000, maxMs: 5000 };

  test('doubles its time when it follows another within a day, up to the most', () => {
    const first = struck(null, backoff, now);
    assert.deepEqual(first, { count: 1, since: now, until: now + 1000 });
    const second = struck(first, backoff, now + 2000);
    assert.deepEqual(second, { count: 2, since: now + 2000, until: now + 4000 });
    const third = struck(second, backoff, now + 5000);
    const fourth = struck(third, backoff, now + 60_000);
    assert.deepEqual([third?.until, fourth?.until], [now + 9000, now + 65_000]);
  });

  test('of what was under way already changes nothing', () => {
    assert.equal(struck({ count: 1, since: now, until: now + 1000 }, backoff, now + 999), null);
  });

  test('after a quiet day begins anew', () => {
    const last = { count: 4, since: now, until: now + 1000 };
    assert.equal(struck(last, backoff, now + 1000 + dayMs)?.count, 1);
  });
});

test('of several holds the longest counts, and says whether WhatsApp asked for it', () => {
  const rate = rateHold(now + 1, none, now);
  const slow = rateHold(now + 2, { newChats: null, slowDown: { count: 1, since: now, until: now + 9 } }, now);
  assert.equal(longest([rate, slow]), slow);
  assert.equal(longest([]), null);
  assert.match(slow.reason, /429/);
});
