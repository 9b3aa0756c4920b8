/** The cookie that a signed-in browser carries. Under TLS its name keeps other hosts and paths from setting it. */
import type { RequestContext } from '../state.ts';

export interface LoginCookie {
  /** Empty when the browser sent none. */
  read(ctx: RequestContext): string;
  set(ctx: RequestContext, value: string, lifetimeMs: number): void;
  clear(ctx: RequestContext): void;
}

/** `baseUrl` is where people reach the gateway: its scheme decides, since TLS may end at a proxy. */
export function createLoginCookie(baseUrl: string): LoginCookie {
  const isSecure = baseUrl.startsWith('https://');
  const name = isSecure ? '__Host-warden' : 'warden';
  const write = (ctx: RequestContext, value: string, seconds: number): void => {
    const attributes = [`${name}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Lax', `Max-Age=${seconds}`];
    ctx.append('set-cookie', [...attributes, ...(isSecure ? ['Secure'] : [])].join('; '));
  };
  return {
    read: (ctx) => ctx.cookies.get(name) ?? '',
    set: (ctx, value, lifetimeMs) => write(ctx, value, Math.floor(lifetimeMs / 1000)),
    clear: (ctx) => write(ctx, '', 0),
  };
}
