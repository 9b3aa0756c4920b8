/** The cookie that a signed-in browser carries. Under TLS its name keeps other hosts and paths from setting it. */
import { isSecure } from '../caller.ts';
import { Recent } from '../limits/recent.ts';
import type { RequestContext } from '../state.ts';

export interface LoginCookie {
  /** Empty when the browser sent none. */
  read(ctx: RequestContext): string;
  set(ctx: RequestContext, value: string, lifetimeMs: number): void;
  clear(ctx: RequestContext): void;
  /** Values that somebody was let in with lately. */
  readonly good: Recent;
}

/** `baseUrl` is where people reach the gateway: its scheme decides, or what a trusted proxy says of the request. */
export function createLoginCookie(baseUrl: string): LoginCookie {
  const write = (ctx: RequestContext, value: string, seconds: number): void => {
    const isByTls = isSecure(ctx, baseUrl);
    const attributes = [`${nameOf(isByTls)}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Lax', `Max-Age=${seconds}`];
    ctx.append('set-cookie', [...attributes, ...(isByTls ? ['Secure'] : [])].join('; '));
  };
  const good = new Recent();
  return {
    good,
    read: (ctx) => ctx.cookies.get(nameOf(isSecure(ctx, baseUrl))) ?? '',
    set: (ctx, value, lifetimeMs) => {
      good.add(value);
      write(ctx, value, Math.floor(lifetimeMs / 1000));
    },
    clear: (ctx) => write(ctx, '', 0),
  };
}

const nameOf = (isByTls: boolean): string => (isByTls ? '__Host-warden' : 'warden');
