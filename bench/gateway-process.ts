/** A gateway as a process, for measurements: like src/main.ts, but with other children, and it tells its loop delay. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadConfig } from '../src/config.ts';
import { startGateway, type ChildProgram } from '../src/gateway.ts';
import { setLogLevel } from '../src/log.ts';
import { trusted } from '../src/contract/trusted.ts';

// Our own bench wrote it.
const children = trusted<ChildProgram>(JSON.parse(process.argv[2] ?? '{}'));
const delay = monitorEventLoopDelay({ samplePerIteration: true });
delay.enable();
const config = loadConfig();
setLogLevel(config.logLevel);
const gateway = await startGateway(config, { children });
process.on('message', (message) => {
  if (message !== 'delay') return;
  process.send?.({ p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 });
  delay.disable();
});
// oxlint-disable-next-line unicorn/no-process-exit -- the entry of a process
const end = (): never => process.exit(0);
const stop = (): void => void gateway.stop().finally(end);
process.on('SIGTERM', stop);
process.on('disconnect', stop);
process.send?.('started');
