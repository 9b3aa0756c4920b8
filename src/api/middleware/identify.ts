/** Finds out who makes a request: the holder of a token, or a browser that is signed in. */
import { WardenError } from '../../contract/errors.ts';
import type { BrowserLogin } from '../auth/browser-login.ts';
import type { LoginCookie } from '../auth/login-cookie.ts';
import { isAllowedAddress } from '../auth/allowed-address.ts';
import type { Authenticator, Principal } from '../auth/principal.ts';
import type { StoredTokens } from '../auth/stored-tokens.ts';
import { isSameOrigin } from '../auth/same-origin.ts';
import { addressOf } from '../caller.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';

interface IdentifyOptions {
  readonly auth: Pick<Authenticator, 'authenticate'>;
  readonly tokens: Pick<StoredTokens, 'endOf'>;
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
export function identify({ auth, tokens, login, cookie, baseUrl }: IdentifyOptions): RequestMiddleware {
  return async (ctx, next) => {
    const isApi = /^\/api(?:\/|$)/i.test(ctx.path);
    if (isApi || /^\/dashboard(?:\/|$)/.test(ctx.path)) {
      ctx.set('cache-control', 'no-store');
      const token = tokenOf(ctx);
      if (isApi && token !== '') {
        ctx.state.principalNow = () => auth.authenticate(token);
        ctx.state.principal = await auth.authenticate(token);
        if (ctx.state.principal === null) {
          const message = await tokens.endOf(token);
          throw new WardenError('unauthorized', message === null ? {} : { message });
        }
        const objection = objectionToAddress(ctx.state.principal, ctx);
        if (objection !== null) throw new WardenError('forbidden', { message: objection });
      } else {
        const value = cookie.read(ctx);
        ctx.state.principalNow = async () => (await login.recognise(value))?.principal ?? null;
        const browser = await login.recognise(value);
        // Away from where its token may be used a browser is a stranger, who can sign in with another one.
        ctx.state.browser = browser !== null && objectionToAddress(browser.principal, ctx) === null ? browser : null;
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

/** Why this person may not come from where the request does, in words; null when they may. */
export function objectionToAddress({ addresses = [] }: Principal, ctx: RequestContext): string | null {
  const address = addressOf(ctx);
  return isAllowedAddress(address, addresses) ? null : `This token may not be used from the address ${address}.`;
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

/** The token that a request carries in a header; empty for none. */
export function tokenOf(ctx: RequestContext): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(ctx.get('authorization'))?.[1];
  return bearer ?? ctx.get('x-api-key').trim();
}
