/** Starts the embedded Postgres in the folder given, says where it is, and waits to be killed: for tests. */
import { logger, setLogLevel } from '../../src/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';

setLogLevel('silent');
const server = await startEmbeddedPostgres({
  folder: process.argv[2] ?? '',
  database: 'wagateway',
  log: logger('holder'),
  isDurable: false,
});
process.stdout.write(`${JSON.stringify({ url: server.url, pid: server.pid() })}\n`);
setInterval(() => undefined, 60_000);
