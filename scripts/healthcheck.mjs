// Whether the gateway of this container answers: exits with 0 when it does, and says what it heard. `/livez` asks
// whether it lives, `/readyz` whether it can work. For HEALTHCHECK, where no curl is.
import { get } from 'node:http';

const path = process.argv[2] ?? '/livez';
const timeoutMs = 4_000;
const port = process.env['PORT'] || '3451';
const host = process.env['HOST'] || '127.0.0.1';
const everywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' };

const request = get({ host: everywhere[host] ?? host, port, path, agent: false, timeout: timeoutMs });
request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
request.on('error', (error) => {
  console.log(`${path}: ${error.message}`);
  process.exitCode = 1;
});
request.on('response', (response) => {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  response.on('end', () => {
    console.log(`${path}: ${response.statusCode} ${text.trim()}`);
    process.exitCode = response.statusCode === 200 ? 0 : 1;
  });
});
