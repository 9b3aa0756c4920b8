import { inspect } from 'node:util';

/**
 * Asks again until `probe` answers something other than undefined, null or false, and answers that. After
 * `deadlineMs` it fails with the last answer or error, or with what `describe` says of the state at that moment.
 */
export async function eventually<Value>(
  probe: () => Value | Promise<Value>,
  deadlineMs = 10_000,
  describe?: () => unknown,
): Promise<Exclude<Value, undefined | null | false>> {
  const end = performance.now() + deadlineMs;
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
      throw new Error(`not reached within ${deadlineMs} ms; last seen: ${inspect(state, { depth: 6 })}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isReached<Value>(value: Value): value is Exclude<Value, undefined | null | false> {
  return value !== undefined && value !== null && value !== false;
}
