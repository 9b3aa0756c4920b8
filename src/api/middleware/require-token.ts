import { WardenError } from '../../contract/errors.ts';
import type { Authenticator } from '../auth/principal.ts';
import type { RequestMiddleware } from '../state.ts';

/** Lets nobody without a valid token into anything below /api. Tokens come in headers only, never in the query. */
export function requireToken(auth: Authenticator): RequestMiddleware {
  return async (ctx, next) => {
    if (/^\/api(?:\/|$)/i.test(ctx.path)) {
      const token = bearerToken(ctx.get('authorization')) ?? ctx.get('x-api-key').trim();
      const principal = token === '' ? null : auth.authenticate(token);
      if (principal === null) throw new WardenError('unauthorized');
      ctx.state.principal = principal;
      ctx.state.principalNow = () => auth.authenticate(token);
      ctx.set('cache-control', 'no-store');
    }
    await next();
  };
}

function bearerToken(header: string): string | null {
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? null;
}
