/** Tells the supervisor from the main loop, and so only while that loop turns, how the child is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ChildNotices } from '../contract/ipc.ts';

type Heartbeat = ChildNotices['heartbeat'];

interface HeartbeatOptions {
  readonly intervalMs: number;
  readonly send: (heartbeat: Heartbeat) => void;
  readonly inFlight: () => number;
  readonly sessions: () => Heartbeat['sessions'];
}

/** Begins at once; answers the way to stop it. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let seq = 0;
  const beat = (): void => {
    const memory = process.memoryUsage();
    options.send({
      seq: seq++,
      loopDelayP99Ms: Math.round(delay.percentile(99) / 1e6),
      heapUsedBytes: memory.heapUsed,
      externalBytes: memory.external,
      inFlight: options.inFlight(),
      sessions: options.sessions(),
    });
    delay.reset();
  };
  beat();
  const timer = setInterval(beat, options.intervalMs);
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
