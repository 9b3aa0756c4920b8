/** What a page of the dashboard is, and how one is served: whole, or one of its parts for a page that is open already. */
import type { Context } from 'koa';
import { WardenError } from '../../contract/errors.ts';
import type { SessionId } from '../../contract/ids.ts';
import type { Scope } from '../../contract/operation.ts';
import type { Browser } from '../auth/browser-login.ts';
import { isAllowed, type Principal } from '../auth/principal.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';
import { accentOf } from './accent.ts';
import type { DashboardDependencies } from './dependencies.ts';

export interface PageCall {
  readonly ctx: RequestContext;
  readonly principal: Principal;
  readonly browser: Browser;
  /** Single values only: of a repeated name the first. */
  readonly query: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
}

export interface DashboardPage<Model extends object> {
  readonly path: string;
  readonly title: string;
  /** The entry of the navigation that is marked. */
  readonly nav: 'fleet' | 'sessions' | 'settings';
  readonly template: string;
  /** Name → template of what can be asked for alone with `?part=`, rendered with the same model. */
  readonly parts: Readonly<Record<string, string>>;
  /** Name of the client module of this page; null when it needs none. */
  readonly script: string | null;
  /** Names of the events on which its parts are renewed, or its script waits. */
  readonly live: readonly string[];
  /** Throws what ends on an error page. */
  load(call: PageCall): Promise<Model>;
}

/** Declares a page; exists for inference. */
export function definePage<Model extends object>(page: DashboardPage<Model>): DashboardPage<Model> {
  return page;
}

export function servePage<Model extends object>(
  page: DashboardPage<Model>,
  dependencies: DashboardDependencies,
): RequestMiddleware {
  const { render } = dependencies;
  return async (ctx) => {
    const call = pageCall(ctx);
    const model = await page.load(call);
    const part = call.query['part'];
    const template = part === undefined ? page.template : partOf(page.parts, part);
    ctx.type = 'text/html';
    ctx.body = render(template, { ...model, page: pageFrame(page, dependencies, ctx) });
  };
}

/** What the frame around a page shows. */
export function pageFrame(
  page: Pick<DashboardPage<object>, 'title' | 'nav' | 'script' | 'live'>,
  { settings }: Pick<DashboardDependencies, 'settings'>,
  ctx: RequestContext,
) {
  const { browser, principal, query } = pageCall(ctx);
  return {
    title: page.title,
    nav: page.nav,
    script: page.script,
    live: page.live.join(' '),
    path: ctx.path,
    /** Where the page is, when it is the answer to a form and was asked for somewhere else. */
    address: null,
    accent: accentOf(ctx),
    version: settings.version,
    formToken: browser.formToken,
    mayAdmin: isAllowed(principal, 'admin', null),
    isOpen: settings.dashboard.auth === 'none',
    notice: query['notice'] ?? null,
    problem: query['problem'] ?? null,
  };
}

/** Who looks and what they ask for. Throws `unauthorized` for strangers. */
export function pageCall(ctx: RequestContext): PageCall {
  const { principal, browser } = ctx.state;
  if (principal === null || browser === null) throw new WardenError('unauthorized');
  return { ctx, principal, browser, query: singles(ctx.query), params: singles(paramsOf(ctx)) };
}

/** Throws `forbidden`, or `session_not_found` for a session that this person may not see. */
export function assertAllowed(principal: Principal, scope: Scope, session: SessionId | null): void {
  if (!principal.scopes.includes(scope)) throw new WardenError('forbidden');
  if (isAllowed(principal, scope, session)) return;
  throw new WardenError(session === null ? 'forbidden' : 'session_not_found');
}

function partOf(parts: Readonly<Record<string, string>>, name: string): string {
  const template = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (template === undefined) throw new WardenError('route_not_found');
  return template;
}

function singles(values: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, first]];
    }),
  );
}

function paramsOf(ctx: Context | RequestContext): Readonly<Record<string, string>> {
  const params: unknown = ctx['params'];
  if (typeof params !== 'object' || params === null) return {};
  return Object.fromEntries(
    Object.entries(params).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
