/** Named loggers and the redaction list. Messages are static and lower-case; what varies is a field. */
import { writeSync } from 'node:fs';
import { pino, type Logger } from 'pino';
import { loggedError } from './log-error.ts';
import { createLogSink } from './log-sink.ts';
import { currentOrigin } from './request-scope.ts';

const stdoutFd = 1;
const sinkCapBytes = 1_048_576;

// Node makes a pipe non-blocking when the stream is first asked for; a write to the descriptor would hold everything up
// otherwise, once nobody reads.
void process.stdout;

const sink = createLogSink({
  write: (bytes) => writeSync(stdoutFd, bytes),
  capBytes: sinkCapBytes,
  onDropped: (lines) => about.warn({ lines }, 'log lines were dropped, standard output did not take them'),
});
process.on('exit', () => sink.flushSync());

/** Fields that hold a secret, at the top of a line or one level below. */
const secretFields = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'x-csrf-token',
  'secret',
  'previousSecret',
  'token',
  'password',
  'passphrase',
  'mediaKey',
  'creds',
  'body',
  'text',
  'params',
];

/** For which request a line was written, where it was for one. */
function requestFields(): object {
  const { requestId, traceparent } = currentOrigin();
  return {
    ...(requestId === null ? {} : { requestId }),
    ...(traceparent === null ? {} : { traceId: traceparent.slice(3, 35) }),
  };
}

const options = {
  level: 'info',
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  serializers: { err: (error: unknown) => loggedError(error) },
  mixin: requestFields,
  redact: { paths: secretFields.flatMap((field) => [`["${field}"]`, `*["${field}"]`]), censor: '[redacted]' },
};
const root = pino(options, sink);
/** Of the log itself: what is missing in it is said at every level. */
const about = root.child({ name: 'log' }, { level: 'warn' });

const children = new Set<Logger>();

export type { Logger };

/** A logger of one part of the gateway; every line carries its name. */
export function logger(name: string): Logger {
  const child = root.child({ name });
  children.add(child);
  return child;
}

/** Sets the level of all loggers, also of those that exist already. */
export function setLogLevel(level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'): void {
  root.level = level;
  for (const child of children) child.level = level;
}

/** Puts text for people between the log lines. */
export function print(text: string): void {
  sink.write(text);
}
