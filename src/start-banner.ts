/** What a person reads when the gateway has started: pure. */
import type { Config } from './config.ts';
import type { Gateway } from './gateway.ts';

/** A few lines for the terminal; the token stands in them only in the run that generated it. */
export function startBanner(
  gateway: Pick<Gateway, 'url' | 'loginUrl' | 'database' | 'secrets'>,
  config: Pick<Config, 'storagePath' | 'dashboardAuth'>,
): string {
  const { url, loginUrl, database, secrets } = gateway;
  const lines = [
    '',
    `  Warden is running.`,
    `  Dashboard   ${loginUrl}`,
    '              (signs one browser in, once and within 15 minutes)',
    `  API         ${url}/api/v1   (documentation: ${url}/swagger-ui)`,
    `  Database    ${database}`,
    `  Files       ${config.storagePath}`,
    '',
  ];
  const rule = '─'.repeat(72);
  if (config.dashboardAuth === 'none') {
    lines.push(
      `  ${rule}`,
      '  WARNING: DASHBOARD_AUTH is none. Whoever reaches this address is superadmin:',
      '  they read all messages and send in the name of every session.',
      `  ${rule}`,
      '',
    );
  }
  if (secrets.isNewToken) {
    lines.push(
      `  ${rule}`,
      '  SUPERADMIN TOKEN (shown this once; it is kept in the folder above)',
      '',
      `  ${secrets.superadminToken}`,
      `  ${rule}`,
      '',
    );
  }
  return `${lines.join('\n')}\n`;
}
