import type { Logger } from '../../log.ts';
import { createClientReader, type TrustedProxies } from '../auth/trusted-proxies.ts';
import type { RequestMiddleware } from '../state.ts';

/** Finds out from where, and how, a request has come. */
export function client(proxies: TrustedProxies, log: Logger): RequestMiddleware {
  const read = createClientReader(proxies);
  let isWarned = false;
  return async (ctx, next) => {
    const forwardedFor = ctx.get('x-forwarded-for');
    ctx.state.client = read({
      peer: ctx.req.socket.remoteAddress,
      forwardedFor,
      forwardedProto: ctx.get('x-forwarded-proto'),
    });
    if (forwardedFor !== '' && proxies.tag === 'none' && !isWarned) {
      isWarned = true;
      log.warn({ peer: ctx.state.client.address }, 'requests come through a proxy that TRUST_PROXY does not name');
    }
    await next();
  };
}
