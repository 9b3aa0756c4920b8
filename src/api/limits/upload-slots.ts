/** Requests with a file: only so many are read at once, since each takes room in memory or on the disk. */
import { WardenError } from '../../contract/errors.ts';
import { callerOf } from '../caller.ts';
import type { RequestContext } from '../state.ts';
import type { LimitSettings } from './limit-settings.ts';
import { Slots } from './slots.ts';

/** Reads a body with a file; throws `rate_limited` while there are too many. */
export type UploadSlots = <Value>(ctx: RequestContext, read: () => Promise<Value>) => Promise<Value>;

const retryAfterMs = 2_000;

export function createUploadSlots({ most, mostPerToken }: LimitSettings['uploads']): UploadSlots {
  const slots = new Slots({ most, mostOf: [mostPerToken] });
  return async (ctx, read) => {
    const release = slots.take([callerOf(ctx).principal.id]);
    if (typeof release !== 'function') {
      // What was not read of the body would have to be swallowed before the next request.
      ctx.set('connection', 'close');
      const limit = release === 'all' ? `UPLOAD_MAX (${most})` : `UPLOAD_MAX_PER_TOKEN (${mostPerToken})`;
      const message = `Files are being received from as many requests as ${limit} allows; wait as long as Retry-After says.`;
      throw new WardenError('rate_limited', { message, retryAfterMs });
    }
    try {
      return await read();
    } finally {
      release();
    }
  };
}
