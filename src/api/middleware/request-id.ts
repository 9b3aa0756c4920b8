import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import { inScope } from '../../request-scope.ts';
import type { RequestMiddleware } from '../state.ts';

/** Gives every request an id (the caller's own when it is a harmless one) and answers with it. */
export function requestId(): RequestMiddleware {
  return async (ctx, next) => {
    const given = ctx.get('x-request-id');
    ctx.state.requestId = /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : `req_${ulid()}`;
    ctx.state.operation = null;
    ctx.state.route = null;
    ctx.state.error = null;
    ctx.state.principal = null;
    ctx.state.browser = null;
    ctx.state.nonce = randomBytes(16).toString('base64');
    ctx.set('x-request-id', ctx.state.requestId);
    await inScope({ requestId: ctx.state.requestId, traceparent: null }, next);
  };
}
