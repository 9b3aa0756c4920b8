/** The metrics on the port of the API: for the holder of the metrics token, and for whoever may see the fleet's figures. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { WardenError } from '../contract/errors.ts';
import { isAllowed } from './auth/principal.ts';
import type { ApiDependencies } from './dependencies.ts';
import { objectionToAddress, tokenOf } from './middleware/identify.ts';
import type { RequestMiddleware } from './state.ts';

export const metricsPath = '/metrics';

export interface Exposition {
  readonly contentType: string;
  /** The text of a scrape. */
  render(): Promise<string>;
  /** Opens the metrics and nothing else; null when none is configured. */
  readonly token: string | null;
}

export function metricsRoute({ auth, metrics = null }: Pick<ApiDependencies, 'auth' | 'metrics'>): RequestMiddleware {
  return async (ctx, next) => {
    if (metrics === null || ctx.path !== metricsPath || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) {
      await next();
      return;
    }
    const token = tokenOf(ctx);
    if (!isMetricsToken(token, metrics.token)) {
      const principal = token === '' ? null : await auth.authenticate(token);
      if (principal === null) throw new WardenError('unauthorized');
      const objection = objectionToAddress(principal, ctx);
      if (objection !== null) throw new WardenError('forbidden', { message: objection });
      if (!isAllowed(principal, 'admin', null)) throw new WardenError('forbidden');
    }
    ctx.set('cache-control', 'no-store');
    ctx.set('content-type', metrics.contentType);
    ctx.body = await metrics.render();
  };
}

/** Compares digests: they have one length, and comparing takes one time. */
export function isMetricsToken(given: string, wanted: string | null): boolean {
  return wanted !== null && timingSafeEqual(digest(given), digest(wanted));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
