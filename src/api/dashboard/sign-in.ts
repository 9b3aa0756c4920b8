/** How a browser gets in: by a one-time link, by a token, or by being on this machine; and how it gets out again. */
import { Router } from '@koa/router';
import { errorCatalogue, toWardenError, WardenError } from '../../contract/errors.ts';
import { isLocalUrl, isLocalVisit } from '../auth/local-visit.ts';
import { isAllowed, superadmin, type Principal } from '../auth/principal.ts';
import { addressOf, originOf } from '../caller.ts';
import { retryAfterSeconds } from '../error-envelope.ts';
import { assertSameOrigin, objectionToAddress } from '../middleware/identify.ts';
import type { RequestContext, RequestMiddleware, RequestState } from '../state.ts';
import { accentOf } from './accent.ts';
import type { DashboardDependencies } from './dependencies.ts';
import { formBody, formField } from './form-body.ts';

export const loginPath = '/dashboard/login';
const homePath = '/dashboard';
/** A token and nothing else, from anybody. */
const loginFormBytes = 16 * 1024;

const usedLink =
  'This link has been used already or is older than 15 minutes. Print a new one with "npm run login-link", or sign in with a token.';
const wrongToken = 'This is not a token of this gateway.';

interface Outcome {
  readonly principal: Principal | null;
  readonly status: number;
}

type TokenHolder =
  | { readonly principal: Principal }
  | { readonly principal: null; readonly status: number; readonly problem: string };

export function signInRoutes(dependencies: DashboardDependencies): Router<RequestState> {
  const { links, auth, tokens, attempts, login, cookie, clock, render, audit, settings } = dependencies;
  const note = (ctx: RequestContext, operation: 'signIn' | 'signOut', { principal, status }: Outcome): void =>
    audit.record({
      ...originOf(ctx),
      principal: principal?.id ?? null,
      operation,
      session: null,
      target: null,
      status,
    });
  /** Whose token the form brings, or why nobody is let in with it. */
  const holderOf = async (ctx: RequestContext): Promise<TokenHolder> => {
    const attempt = { address: addressOf(ctx), token: formField(ctx, 'token').trim() };
    const waitMs = attempts.waitMs(attempt, clock.monotonic());
    if (waitMs !== null) return tooOften(ctx, waitMs);
    const principal = await auth.authenticate(attempt.token);
    if (principal === null) {
      const end = await tokens.endOf(attempt.token);
      if (end === null) attempts.failed(attempt.address, clock.monotonic());
      return { principal, status: 401, problem: end ?? wrongToken };
    }
    attempts.succeeded(attempt, clock.monotonic());
    const problem = objectionToAddress(principal, ctx);
    return problem === null ? { principal } : { principal: null, status: 403, problem };
  };
  const router = new Router<RequestState>({ sensitive: true });

  const show = (ctx: RequestContext, status: number, problem: string | null): void => {
    ctx.status = status;
    ctx.type = 'text/html';
    ctx.body = render('login/page.njk', { problem, next: nextOf(ctx), accent: accentOf(ctx) });
  };

  router.get(loginPath, async (ctx) => {
    const { t: secret } = ctx.query;
    if (typeof secret !== 'string') {
      if (ctx.state.browser === null) show(ctx, 200, null);
      else redirect(ctx, homePath);
    } else {
      const id = links.consume(secret);
      const principal = id === null ? null : await auth.principalOf(id);
      if (principal === null) {
        // A link cannot be guessed, so that one which works is good at any time.
        const address = addressOf(ctx);
        const waitMs = attempts.waitMs({ address, token: secret }, clock.monotonic());
        const { status, problem } = waitMs === null ? { status: 401, problem: usedLink } : tooOften(ctx, waitMs);
        attempts.failed(address, clock.monotonic());
        if (waitMs === null) note(ctx, 'signIn', { principal, status });
        show(ctx, status, problem);
        return;
      }
      const objection = objectionToAddress(principal, ctx);
      if (objection !== null) throw new WardenError('forbidden', { message: objection });
      note(ctx, 'signIn', { principal, status: 303 });
      await letIn(dependencies, ctx, principal);
      redirect(ctx, homePath);
    }
  });

  router.post(loginPath, formBody(loginFormBytes), async (ctx) => {
    assertSameOrigin(ctx, settings.baseUrl);
    const found = await holderOf(ctx);
    if (found.principal === null) {
      // What is not even looked at fills no log.
      if (found.status !== 429) note(ctx, 'signIn', found);
      show(ctx, found.status, found.problem);
      return;
    }
    const { principal } = found;
    note(ctx, 'signIn', { principal, status: 303 });
    await letIn(dependencies, ctx, principal);
    redirect(ctx, nextOf(ctx));
  });

  router.post('/dashboard/logout', async (ctx) => {
    if (ctx.state.browser !== null) {
      await login.signOut(cookie.read(ctx));
      note(ctx, 'signOut', { principal: ctx.state.principal, status: 303 });
    }
    cookie.clear(ctx);
    redirect(ctx, loginPath);
  });
  return router;
}

function tooOften(ctx: RequestContext, waitMs: number): Exclude<TokenHolder, { principal: Principal }> {
  const seconds = Math.ceil(waitMs / 1000);
  ctx.set('retry-after', String(seconds));
  return { principal: null, status: 429, problem: `Too many failed attempts; wait ${seconds} seconds.` };
}

/** Lets browsers on that may come in without a login, and sends the others to it. */
export function requireBrowser(dependencies: DashboardDependencies): RequestMiddleware {
  const { settings } = dependencies;
  // Where people come by another address, or through a proxy, nobody can tell by the connection who is near.
  const isBehindProxy = settings.trustProxy.tag !== 'none' || !isLocalUrl(settings.baseUrl);
  const mayEnter = (ctx: RequestContext): boolean => {
    const { auth, listenHost } = settings.dashboard;
    if (auth === 'none') return true;
    const { httpVersion, headers, socket } = ctx.req;
    const visit = { listenHost, remoteAddress: socket.remoteAddress, httpVersion, headers };
    return auth === 'auto' && !isBehindProxy && isLocalVisit(visit);
  };
  return async (ctx, next) => {
    if (ctx.state.browser === null) {
      // A form or a part of a page belongs to a page that was open before: it must be loaded again.
      if (ctx.method !== 'GET' || ctx.query['part'] !== undefined) throw new WardenError('unauthorized');
      if (!mayEnter(ctx)) {
        redirect(ctx, `${loginPath}?next=${encodeURIComponent(ctx.url)}`);
        return;
      }
      await letIn(dependencies, ctx, superadmin);
    }
    await next();
  };
}

/** The fleet is for who may see all of it; the others begin with their sessions. */
export function homeOfMost(): RequestMiddleware {
  return async (ctx, next) => {
    const { principal } = ctx.state;
    const isOpening = ctx.query['part'] === undefined;
    if (principal !== null && isOpening && !isAllowed(principal, 'admin', null)) redirect(ctx, '/dashboard/sessions');
    else await next();
  };
}

/** Shows what goes wrong as a page, in the same words as the API. */
export function errorPages({ render, log }: DashboardDependencies): RequestMiddleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = toWardenError(thrown);
      const { status, sentence } = errorCatalogue[error.code];
      const isInternal = error.code === 'internal_error';
      if (isInternal) log.error({ requestId: ctx.state.requestId, err: error.cause ?? error }, 'page failed');
      const retryAfter = retryAfterSeconds(error);
      if (retryAfter !== null) ctx.set('retry-after', String(retryAfter));
      ctx.status = status;
      ctx.type = 'text/html';
      ctx.body = render('error/page.njk', {
        status,
        message: isInternal ? sentence : error.message,
        requestId: ctx.state.requestId,
        accent: accentOf(ctx),
      });
    }
  };
}

async function letIn(
  { login, cookie, settings }: DashboardDependencies,
  ctx: RequestContext,
  principal: Principal,
): Promise<void> {
  const signedIn = await login.signIn(principal);
  cookie.set(ctx, signedIn.cookie, settings.dashboard.lifetimeMs);
  ctx.state.browser = signedIn.browser;
  ctx.state.principal = principal;
}

/** 303, so that a form that is sent leads to a page that can be reloaded. */
export function redirect(ctx: RequestContext, path: string): void {
  ctx.redirect(path);
  ctx.status = 303;
}

/** Where to go after the login: a page of ours, whatever the query says. */
function nextOf(ctx: RequestContext): string {
  const { next } = ctx.query;
  const url = typeof next === 'string' ? URL.parse(next, 'http://gateway.invalid') : null;
  const isOurs = url?.host === 'gateway.invalid' && /^\/dashboard(?:\/|$)/.test(url.pathname);
  return isOurs ? `${url.pathname}${url.search}` : homePath;
}
