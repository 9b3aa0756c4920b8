import helmet from 'koa-helmet';
import { isSecure } from '../caller.ts';
import type { RequestMiddleware } from '../state.ts';

const policy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  mediaSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

/** The policy of security headers for all answers. HSTS only for who reaches the gateway by TLS. */
export function securityHeaders(baseUrl: string): RequestMiddleware {
  const overTls = headers({ maxAge: 15_552_000, includeSubDomains: false });
  const plain = headers(false);
  return (ctx, next) => (isSecure(ctx, baseUrl) ? overTls : plain)(ctx, next);
}

function headers(strictTransportSecurity: false | { maxAge: number; includeSubDomains: boolean }): RequestMiddleware {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: policy },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity,
  });
}

/** Loosens the policy for the one page whose markup we do not write: its scripts run by nonce, its styles inline. */
export function docsPagePolicy(): RequestMiddleware {
  return async (ctx, next) => {
    await next();
    const directives = [
      "default-src 'none'",
      `script-src 'self' 'nonce-${ctx.state.nonce}'`,
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ];
    ctx.set('content-security-policy', directives.join(';'));
  };
}
