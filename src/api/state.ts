import type { Next, ParameterizedContext } from 'koa';
import type { Browser } from './auth/browser-login.ts';
import type { Principal } from './auth/principal.ts';
import type { Client } from './auth/trusted-proxies.ts';

/** What the middleware of one request share. */
export interface RequestState {
  requestId: string;
  client: Client;
  /** The operation that serves the request, and the pattern of its path; null for pages, files and strangers. */
  operation: string | null;
  route: string | null;
  /** The code of the error that is answered; null for none. */
  error: string | null;
  /** Null until the token is checked, and on public routes. */
  principal: Principal | null;
  /** The signed-in browser that made the request; null for holders of tokens and for strangers. */
  browser: Browser | null;
  /** Who the request's token or cookie belongs to by now, for requests that last. */
  principalNow: () => Promise<Principal | null>;
  /** The parsed JSON body, or the fields of a multipart one; undefined when there is none. */
  body: unknown;
  /** For the inline scripts of the one page that has any: see docs/swagger-page.ts. */
  nonce: string;
}

export type RequestContext = ParameterizedContext<RequestState>;
export type RequestMiddleware = (ctx: RequestContext, next: Next) => Promise<void>;
