/** Stands in for pino in the lean child: the library makes a logger when it is loaded, and is given another one. */
export interface SilentLogger {
  readonly level: string;
  child(): SilentLogger;
  trace(): void;
  debug(): void;
  info(): void;
  warn(): void;
  error(): void;
  fatal(): void;
}

export function silentLogger(): SilentLogger {
  return logger;
}

const quiet = (): void => undefined;
const logger: SilentLogger = {
  level: 'silent',
  child: () => logger,
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  fatal: quiet,
};
