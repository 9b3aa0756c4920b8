/** A gateway whose clock, and that of its children, is set by the file in TEST_CLOCK_FILE; see set-clock.ts. */
import { loadConfig } from '../../src/config.ts';
import { startGateway } from '../../src/gateway.ts';
import { setLogLevel } from '../../src/log.ts';
import { leanFlags } from '../../src/supervisor/spawn.ts';

const clock = new URL('./set-clock.js', import.meta.url);
clock.search = encodeURIComponent(process.env['TEST_CLOCK_FILE'] ?? '');
await import(clock.href);
const config = loadConfig();
setLogLevel(config.logLevel);
const gateway = await startGateway(config, {
  children: { childFlags: [...leanFlags, `--import=${clock.href}`] },
});
// oxlint-disable-next-line unicorn/no-process-exit -- the entry of a process
const end = (): never => process.exit(0);
process.on('SIGTERM', () => void gateway.stop().finally(end));
