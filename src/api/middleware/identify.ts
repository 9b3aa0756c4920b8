/** Finds out who makes a request: the holder of a token, or a browser that is signed in. */
import { WardenError } from '../../contract/errors.ts';
import type { BrowserLogin } from '../auth/browser-login.ts';
import type { LoginCookie } from '../auth/login-cookie.ts';
import type { Authenticator } from '../auth/principal.ts';
import { isSameOrigin } from '../auth/same-origin.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';

interface IdentifyOptions {
  readonly auth: Pick<Authenticator, 'authenticate'>;
  readonly login: Pick<BrowserLogin, 'recognise' | 'isFormToken'>;
  readonly cookie: Pick<LoginCookie, 'read'>;
  readonly baseUrl: string;
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const jsonTypes = ['application/json', 'application/*+json'];

/**
 * Lets nobody into /api who is neither. Tokens come in headers only, never in the query; a cookie changes something only
 * from a page of ours, and with a body or a header that no form of another site can send.
 */
export function identify({ auth, login, cookie, baseUrl }: IdentifyOptions): RequestMiddleware {
  return async (ctx, next) => {
    const isApi = /^\/api(?:\/|$)/i.test(ctx.path);
    if (isApi || /^\/dashboard(?:\/|$)/.test(ctx.path)) {
      ctx.set('cache-control', 'no-store');
      const token = tokenOf(ctx);
      if (isApi && token !== '') {
        ctx.state.principalNow = () => auth.authenticate(token);
        ctx.state.principal = await auth.authenticate(token);
      } else {
        const value = cookie.read(ctx);
        ctx.state.principalNow = async () => (await login.recognise(value))?.principal ?? null;
        ctx.state.browser = await login.recognise(value);
        ctx.state.principal = ctx.state.browser?.principal ?? null;
      }
    }
    if (isApi && ctx.state.principal === null) throw new WardenError('unauthorized');
    const { browser } = ctx.state;
    if (browser !== null && !safeMethods.has(ctx.method)) {
      assertSameOrigin(ctx, baseUrl);
      const isOurs = typeof ctx.is(jsonTypes) === 'string' || login.isFormToken(browser, ctx.get('x-csrf-token'));
      if (isApi && !isOurs) throw new WardenError('forbidden', { message: crossSite });
    }
    await next();
  };
}

const crossSite = 'A browser may change something from a page of this gateway only.';

/** Throws `forbidden` for what a page of another site has sent. */
export function assertSameOrigin(ctx: RequestContext, baseUrl: string): void {
  const facts = {
    fetchSite: ctx.get('sec-fetch-site'),
    origin: ctx.get('origin'),
    // The host check has let the name through: it is ours.
    ownOrigins: [baseUrl.toLowerCase(), `http://${ctx.get('host').toLowerCase()}`],
  };
  if (!isSameOrigin(facts)) throw new WardenError('forbidden', { message: crossSite });
}

function tokenOf(ctx: RequestContext): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(ctx.get('authorization'))?.[1];
  return bearer ?? ctx.get('x-api-key').trim();
}
