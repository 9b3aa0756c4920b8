/** The child's entry and the only place that ends its process. */
import './silence.ts';
import { systemClock } from '../clock.ts';
import { Channel } from '../contract/channel.ts';
import { exitCode, protocolVersion, type ChildNotices, type ToChild, type ToSupervisor } from '../contract/ipc.ts';
import { processPort } from '../contract/process-port.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Host } from './host.ts';
import { exposedCollector } from './idle-collection.ts';

/** Told on the command line by the supervisor. */
const heartbeatMs = Number(process.argv[2]) || 2_000;
const restingHeartbeatMs = Number(process.argv[3]) || heartbeatMs;
const isTalkative = process.argv[4] === 'talkative';
const flushMs = 2_000;
const orphanMs = 3_000;
const window = { requests: 256, bytes: 8 * 1024 * 1024 };

/** Says what must be said and ends the process: whatever is still queued gets a moment to leave. */
async function leave(code: number): Promise<void> {
  setTimeout(() => process.exit(code), flushMs);
  await channel.flush();
  process.exit(code);
}

/** For the supervisor's record of why a child ended; it reads the tail of stderr. */
function fail(error: unknown, code: number): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(code);
}

process.on('uncaughtException', (error) => fail(error, exitCode.uncaughtException));
process.on('unhandledRejection', (reason) => fail(reason, exitCode.unhandledRejection));
// A terminal's Ctrl-C reaches the whole process group; the supervisor says by message when to stop.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
// A supervisor that died leaves a broken pipe, which is no reason to crash.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const host = new Host({
  clock: systemClock,
  isTalkative,
  requester: { request: (name, body) => channel.request(name, body) },
  notify: (name, body) => {
    channel.notify(name, body);
  },
  onFenced: () => void leave(exitCode.fenced),
  onShutdown: (isRecycled) => {
    stopHeartbeat();
    // The answer to the shutdown leaves with the flush.
    setImmediate(() => void leave(isRecycled ? exitCode.recycled : exitCode.ok));
  },
});

const channel = new Channel<ToSupervisor, ToChild, ChildNotices>(processPort(process), {
  handlers: host.handlers,
  notices: {},
  window,
  overflow: 'wait',
  deadlineMs: 15_000,
  timeoutCode: 'storage_unavailable',
  onClose: () => {
    setTimeout(() => process.exit(exitCode.orphaned), orphanMs).unref();
    void host.stopAll().finally(() => process.exit(exitCode.orphaned));
  },
});

channel.notify('hello', { protocol: protocolVersion, pid: process.pid });
const stopHeartbeat = startHeartbeat({
  intervalMs: heartbeatMs,
  restIntervalMs: restingHeartbeatMs,
  send: (heartbeat) => channel.notify('heartbeat', heartbeat),
  inFlight: () => channel.inFlight,
  sessions: () => host.stats(),
  collect: exposedCollector(),
});
