/** Who asks for something, from where, and under which id: for what has to be written down. */
import { WardenError } from '../contract/errors.ts';
import type { Principal } from './auth/principal.ts';
import type { RequestContext } from './state.ts';

export interface Origin {
  readonly address: string;
  readonly requestId: string;
}

export interface Caller extends Origin {
  readonly principal: Principal;
}

export const originOf = (ctx: RequestContext): Origin => ({
  address: addressOf(ctx),
  requestId: ctx.state.requestId,
});

/** Throws `unauthorized` for strangers. */
export function callerOf(ctx: RequestContext): Caller {
  const { principal } = ctx.state;
  if (principal === null) throw new WardenError('unauthorized');
  return { ...originOf(ctx), principal };
}

/** Of who asks: the peer of the connection, or whom the trusted proxies name. */
export const addressOf = (ctx: RequestContext): string => ctx.state.client.address;

/** Whether people reach the gateway by TLS, which may end at a proxy; `baseUrl` is where they do. */
export const isSecure = (ctx: RequestContext, baseUrl: string): boolean =>
  baseUrl.startsWith('https://') || ctx.state.client.isSecure;
