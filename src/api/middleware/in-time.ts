import { WardenError } from '../../contract/errors.ts';
import type { RequestContext } from '../state.ts';

/** A body without a file is here at once, or never. */
const bodyTimeoutMs = 30_000;

/** Waits for a body that is being read; throws `invalid_request` when it does not come in time. */
export async function inTime<Value>(ctx: RequestContext, reading: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    ctx.set('connection', 'close');
    reject(new WardenError('invalid_request', { message: 'The request did not arrive completely in time.' }));
  }, bodyTimeoutMs);
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}
