/** Pure: connection URLs as the driver reads them. */

/**
 * Translates the TLS modes of libpq into those that the driver knows: it has no opportunistic TLS, so that `allow` and
 * `prefer` become plain, and its `require` checks the certificate, as `verify-ca` and `verify-full` ask.
 */
export function driverUrl(connection: string): string {
  const url = URL.parse(connection);
  const mode = url?.searchParams.get('sslmode') ?? null;
  if (url === null || mode === null) return connection;
  switch (mode) {
    case 'allow':
    case 'prefer':
      url.searchParams.set('sslmode', 'disable');
      break;
    case 'verify-ca':
    case 'verify-full':
      url.searchParams.set('sslmode', 'require');
      break;
  }
  return url.href;
}

/** A URL from its parts; a host that begins with a slash is the folder of a Unix socket. */
export function connectionUrl(parts: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
}): string {
  const host = parts.host.includes(':') ? `[${parts.host}]` : encodeURIComponent(parts.host);
  const password = parts.password === null ? '' : `:${encodeURIComponent(parts.password)}`;
  return `postgres://${encodeURIComponent(parts.user)}${password}@${host}:${parts.port}/${encodeURIComponent(parts.database)}`;
}

/** A URL as it may be shown: without its password. */
export function maskedUrl(connection: string): string {
  const url = URL.parse(connection);
  if (url === null) return 'an unreadable URL';
  if (url.password !== '') url.password = '***';
  for (const name of ['password', 'sslpassword']) if (url.searchParams.has(name)) url.searchParams.set(name, '***');
  return url.href;
}
