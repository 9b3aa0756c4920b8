import { isIP } from 'node:net';
import { WardenError } from '../../contract/errors.ts';
import type { RequestMiddleware } from '../state.ts';

/**
 * Serves only the names that are ours: PUBLIC_URL's, those that the operator allows, the loopback names and IP literals.
 * A web page that lets its own name resolve to this machine (DNS rebinding) keeps that name in the Host header, and it
 * cannot be an IP literal.
 */
export function hostCheck(baseUrl: string, allowedHosts: readonly string[]): RequestMiddleware {
  const own = new Set([URL.parse(baseUrl)?.hostname ?? 'localhost', 'localhost', ...allowedHosts]);
  return async (ctx, next) => {
    const host = hostnameOf(ctx.get('host'));
    // A request line with a whole URL names a host of its own, which counts more than the header (RFC 9112, 3.2.2).
    const isOfOtherForm = !ctx.url.startsWith('/') && ctx.url !== '*';
    if (host === null || !isServed(host, own) || isOfOtherForm) throw new WardenError('misdirected_request');
    await next();
  };
}

function isServed(host: string, own: ReadonlySet<string>): boolean {
  return own.has(host) || isIP(host.replace(/^\[|\]$/g, '')) !== 0;
}

/** The lower-case name in a Host header, or null for what is none. Strict: `evil@host` is no host. */
function hostnameOf(header: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header);
  return match?.[1]?.toLowerCase() ?? null;
}
