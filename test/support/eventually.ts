import { inspect } from 'node:util';

/** A deadline only says that something never comes: machines that run tests have few cores, and much to do on them. */
const leastDeadlineMs = 30_000;

/**
 * Asks again until `probe` answers something other than undefined, null or false, and answers that. After
 * `deadlineMs`, or half a minute if that is longer, it fails with the last answer or error, or with what `describe` says of the state at that moment.
 */
export async function eventually<Value>(
  probe: () => Value | Promise<Value>,
  deadlineMs = leastDeadlineMs,
  describe?: () => unknown,
): Promise<Exclude<Value, undefined | null | false>> {
  const startedAt = performance.now();
  const end = startedAt + Math.max(deadlineMs, leastDeadlineMs);
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (isReached(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= end) {
      const state = describe === undefined ? last : await describe();
      throw new Error(
        `not reached within ${Math.round(performance.now() - startedAt)} ms; last seen: ${inspect(state, { depth: 6 })}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isReached<Value>(value: Value): value is Exclude<Value, undefined | null | false> {
  return value !== undefined && value !== null && value !== false;
}
