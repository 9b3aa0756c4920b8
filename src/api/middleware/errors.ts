import { z } from 'zod';
import { errorCatalogue, toWardenError, WardenError } from '../../contract/errors.ts';
import { maskPath, type Logger } from '../../log.ts';
import { errorEnvelope, retryAfterSeconds } from '../error-envelope.ts';
import type { RequestMiddleware } from '../state.ts';

/** Answers whatever is thrown below in the error envelope, and logs what is our own fault. */
export function errors(log: Logger): RequestMiddleware {
  return async (ctx, next) => {
    const startedAt = performance.now();
    try {
      await next();
    } catch (thrown) {
      const error = toWardenError(thrown);
      const { status } = errorCatalogue[error.code];
      if (error.code === 'internal_error') {
        log.error({ requestId: ctx.state.requestId, err: error.cause ?? error }, 'request failed inside the gateway');
      }
      const retryAfter = retryAfterSeconds(error);
      if (retryAfter !== null) ctx.set('retry-after', String(retryAfter));
      if (status === 401) ctx.set('www-authenticate', 'Bearer');
      // What was not read of an oversized body would have to be swallowed before the next request.
      if (status === 413) ctx.set('connection', 'close');
      ctx.set('cache-control', 'no-store');
      ctx.status = status;
      ctx.body = errorEnvelope(error, ctx.state.requestId);
    }
    log.debug(
      {
        requestId: ctx.state.requestId,
        method: ctx.method,
        path: maskPath(ctx.path),
        status: ctx.status,
        durationMs: Math.round(performance.now() - startedAt),
      },
      'request answered',
    );
  };
}

/** The routes of the path, whatever their method, as the router leaves them in the context. */
const matchedSchema = z.array(z.object({ methods: z.array(z.string()) })).catch([]);

/** Ends the chain: says why nothing above served the request, with the methods that would have been. */
export function unrouted(): RequestMiddleware {
  return async (ctx, next) => {
    await next();
    if (ctx.body !== undefined || ctx.status !== 404) return;
    const methods = new Set(matchedSchema.parse(ctx['matched']).flatMap((layer) => layer.methods));
    if (methods.size === 0) throw new WardenError('route_not_found');
    methods.add('OPTIONS');
    ctx.set('allow', [...methods].join(', '));
    if (ctx.method !== 'OPTIONS') throw new WardenError('method_not_allowed');
    ctx.status = 204;
  };
}
