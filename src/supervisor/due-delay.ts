/** When scheduled messages are looked for again. Pure. */

/** Also the longest timer: far below the 24 days that a timer can count, and a machine that slept notices soon. */
const idleMs = 60_000;
/** What is due and not ours may become ours: its session is being started, or nobody sends it in time. */
const overdueMs = 2_000;

/** `nextDueAt` is that of the next message, whoever sends it; null when there is none. */
export function dueDelayMs(nextDueAt: number | null, now: number): number {
  if (nextDueAt === null) return idleMs;
  return nextDueAt <= now ? overdueMs : Math.min(nextDueAt - now, idleMs);
}
