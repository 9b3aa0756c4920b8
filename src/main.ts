/** The gateway's entry: configuration, gateway, signals; nothing else. */
import { ConfigError, loadConfig, type Config } from './config.ts';
import { WardenError } from './contract/errors.ts';
import { startGateway, type Gateway } from './gateway.ts';
import { logger, print, setLogLevel } from './log.ts';
import { longestStopMs } from './stop-budget.ts';
import { startBanner } from './start-banner.ts';
import { EncryptionKeyError } from './store/encryption-key-error.ts';

const log = logger('main');
/** A second signal is an accident within this time, and an order to stop at once after it. */
const impatienceMs = 5_000;

// Where nobody reads, or the disk is full, there is nothing to be done about it.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'uncaught exception');
  process.exit(70);
});
process.on('unhandledRejection', (reason) => {
  log.fatal({ err: reason }, 'unhandled rejection');
  process.exit(71);
});

function readConfiguration(): Config {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(21);
  }
}

function ignoreShutdown(error: unknown): void {
  if (!(error instanceof WardenError) || error.code !== 'shutting_down') throw error;
}

function stopOnSignals(gateway: Promise<Gateway>, config: Config, starting: AbortController): void {
  let stoppingSince: number | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    if (stoppingSince !== null) {
      if (performance.now() - stoppingSince < impatienceMs) return;
      log.warn('stopping by force');
      process.exit(2);
    }
    stoppingSince = performance.now();
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.error('stopping took too long');
      process.exit(2);
    }, longestStopMs(config)).unref();
    starting.abort();
    void gateway
      // A start that was given up has cleaned up after itself.
      .then((running) => running.stop(), ignoreShutdown)
      .then(() => log.info('stopped'))
      .catch((error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exitCode = 1;
      })
      .finally(() => process.exit());
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

const config = readConfiguration();
setLogLevel(config.logLevel);
const startingEnd = new AbortController();
const starting = startGateway(config, { signal: startingEnd.signal });
stopOnSignals(starting, config, startingEnd);
try {
  print(startBanner(await starting, config));
} catch (error) {
  if (!startingEnd.signal.aborted) {
    if (error instanceof EncryptionKeyError) {
      process.stderr.write(`the gateway could not start: ${error.message}\n`);
      process.exit(22);
    }
    log.fatal({ err: error }, 'the gateway could not start');
    process.exit(1);
  }
}
