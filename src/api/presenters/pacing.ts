/** What leaves the process of a session's pacing. Pure. */
import type { z } from 'zod';
import type { Result } from '../../contract/index.ts';
import type { pacingSummary } from '../../contract/operations/pacing.ts';
import type { Strike } from '../../contract/pacing.ts';
import type { PacingSummary, PacingView } from '../../supervisor/governor.ts';

/** A time to wait for is never told too early. */
const secondsUntil = (ms: number): number => Math.ceil(ms / 1000);

export function presentPacingSummary({ held, backoff }: PacingSummary): z.output<typeof pacingSummary> {
  return {
    held: held === null ? null : { count: held.count, until: secondsUntil(held.until), reason: held.reason },
    backoff: { new_chats: presentStrike(backoff.newChats), slow_down: presentStrike(backoff.slowDown) },
  };
}

export function presentPacing(view: PacingView): Result<'getPacing'> {
  const { limits, allowance } = view;
  const { perDay, warmUp } = allowance;
  return {
    ...presentPacingSummary(view),
    enabled: limits.isEnabled,
    limits: { messages_per_second: limits.messagesPerSecond, burst: limits.burst, new_chats_per_day: perDay },
    settings: view.overrides,
    used_today: view.sentToday,
    new_chats_today: view.newChatsToday,
    warm_up: warmUp === null || perDay === null ? null : { ...warmUp, new_chats_per_day: perDay },
  };
}

function presentStrike(strike: Strike | null) {
  if (strike === null) return null;
  const { since, until, count } = strike;
  return { since: Math.floor(since / 1000), until: secondsUntil(until), count };
}
