/** Tells the supervisor from the main loop, and so only while that loop turns, how the child is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ChildNotices } from '../contract/ipc.ts';
import { idleCollection } from './idle-collection.ts';

type Heartbeat = ChildNotices['heartbeat'];

interface HeartbeatOptions {
  readonly intervalMs: number;
  readonly send: (heartbeat: Heartbeat) => void;
  readonly inFlight: () => number;
  readonly sessions: () => Heartbeat['sessions'];
  /** Gives memory back to the system; null when the process cannot. */
  readonly collect: (() => void) | null;
}

/** Begins at once; answers the way to stop it. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  // Without a timer: one that samples would wake each of many idle processes all the time.
  const delay = monitorEventLoopDelay({ samplePerIteration: true });
  delay.enable();
  let seq = 0;
  const { collect } = options;
  const whenIdle =
    collect === null
      ? null
      : idleCollection({
          heapUsedBytes: () => process.memoryUsage().heapUsed,
          activity: () =>
            Object.values(options.sessions()).reduce((sum, { stanzas, events }) => sum + stanzas + events, 0),
          collect,
        });
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
    whenIdle?.();
  };
  beat();
  const timer = setInterval(beat, options.intervalMs);
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
