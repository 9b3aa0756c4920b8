// `npm run login-link`: prints a link that signs a browser in to the dashboard of the running gateway, once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../dist/src/config.js';

const config = loadConfig();
const address = `http://${config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host}:${config.port}`;
try {
  const token =
    config.superadminToken ?? readFileSync(join(config.storagePath, 'secrets', 'superadmin-token'), 'utf8').trim();
  const answer = await fetch(`${address}/api/v1/login-links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error?.message ?? `the gateway answered ${answer.status}`);
  console.log(body.url);
} catch (error) {
  const reason = error instanceof Error ? (error.cause?.message ?? error.message) : String(error);
  console.error(`No link: ${reason}. Is the gateway running at ${address}, with the settings of this folder?`);
  process.exit(1);
}
