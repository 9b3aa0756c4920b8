/** Finds out who makes a request: the holder of a token, or a browser that is signed in. */
import type { Clock } from '../../clock.ts';
import { WardenError } from '../../contract/errors.ts';
import type { Browser, BrowserLogin } from '../auth/browser-login.ts';
import type { LoginCookie } from '../auth/login-cookie.ts';
import { isAllowedAddress } from '../auth/allowed-address.ts';
import { assertMayTry, type AttemptLimit } from '../auth/attempt-limit.ts';
import type { Authenticator, Principal } from '../auth/principal.ts';
import type { StoredTokens } from '../auth/stored-tokens.ts';
import { isSameOrigin } from '../auth/same-origin.ts';
import { addressOf } from '../caller.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';
import type { RequestLimits } from './limit-requests.ts';

interface IdentifyOptions {
  readonly auth: Pick<Authenticator, 'authenticate'>;
  readonly tokens: Pick<StoredTokens, 'endOf'>;
  readonly login: Pick<BrowserLogin, 'recognise' | 'isFormToken'>;
  readonly cookie: Pick<LoginCookie, 'read' | 'good'>;
  readonly attempts: AttemptLimit;
  readonly limits: Pick<RequestLimits, 'ofStranger'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly baseUrl: string;
}

export const isApiPath = (path: string): boolean => /^\/api(?:\/|$)/i.test(path);
export const isDashboardPath = (path: string): boolean => /^\/dashboard(?:\/|$)/.test(path);

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const jsonTypes = ['application/json', 'application/*+json'];

/**
 * Lets nobody into /api who is neither. Tokens come in headers only, never in the query; a cookie changes something only
 * from a page of ours, and with a body or a header that no form of another site can send.
 */
export function identify(options: IdentifyOptions): RequestMiddleware {
  const { auth, tokens, attempts, limits, login, cookie, clock, baseUrl } = options;
  const holderOf = async (ctx: RequestContext, token: string): Promise<Principal> => {
    const attempt = { address: addressOf(ctx), token };
    assertMayTry(attempts, attempt, clock.monotonic());
    const principal = await auth.authenticate(token);
    if (principal !== null) {
      attempts.succeeded(attempt, clock.monotonic());
      return principal;
    }
    const message = await tokens.endOf(token);
    // Who holds a token that has ended does not guess.
    if (message === null) attempts.failed(attempt.address, clock.monotonic());
    throw new WardenError('unauthorized', message === null ? {} : { message });
  };
  const browserWith = async (ctx: RequestContext, value: string): Promise<Browser | null> => {
    // Looking made-up cookies up costs a query each; whoever was let in with one is not held up by others.
    if (value !== '' && !cookie.good.has(value)) limits.ofStranger(ctx);
    const browser = await login.recognise(value);
    if (browser !== null) cookie.good.add(value);
    return browser;
  };
  return async (ctx, next) => {
    const isApi = isApiPath(ctx.path);
    if (isApi || isDashboardPath(ctx.path)) {
      ctx.set('cache-control', 'no-store');
      const token = tokenOf(ctx);
      if (isApi && token !== '') {
        ctx.state.principalNow = () => auth.authenticate(token);
        ctx.state.principal = await holderOf(ctx, token);
        const objection = objectionToAddress(ctx.state.principal, ctx);
        if (objection !== null) throw new WardenError('forbidden', { message: objection });
      } else {
        const value = cookie.read(ctx);
        ctx.state.principalNow = async () => (await login.recognise(value))?.principal ?? null;
        const browser = await browserWith(ctx, value);
        // Away from where its token may be used a browser is a stranger, who can sign in with another one.
        ctx.state.browser = browser !== null && objectionToAddress(browser.principal, ctx) === null ? browser : null;
        ctx.state.principal = ctx.state.browser?.principal ?? null;
      }
    }
    if (isApi && ctx.state.principal === null) throw new WardenError('unauthorized');
    const { browser } = ctx.state;
    if (browser !== null && isApi && isOfAnotherSite(ctx)) throw new WardenError('forbidden', { message: crossSite });
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

const crossSite = 'A browser may use the API from a page of this gateway only.';

/** Also what is only asked for, such as an event stream, costs something; an address that is typed in is nobody's. */
const isOfAnotherSite = (ctx: RequestContext): boolean =>
  !['', 'none', 'same-origin'].includes(ctx.get('sec-fetch-site'));

/** Throws `forbidden` for what a page of another site has sent. */
export function assertSameOrigin(ctx: RequestContext, baseUrl: string): void {
  const scheme = ctx.state.client.isSecure ? 'https' : 'http';
  const facts = {
    fetchSite: ctx.get('sec-fetch-site'),
    origin: ctx.get('origin'),
    // The host check has let the name through: it is ours.
    ownOrigins: [baseUrl.toLowerCase(), `${scheme}://${ctx.get('host').toLowerCase()}`],
  };
  if (!isSameOrigin(facts)) throw new WardenError('forbidden', { message: crossSite });
}

/** The token that a request carries in a header; empty for none. */
export function tokenOf(ctx: RequestContext): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(ctx.get('authorization'))?.[1];
  return bearer ?? ctx.get('x-api-key').trim();
}
