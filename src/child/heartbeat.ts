/** Tells the supervisor from the main loop, and so only while that loop turns, how the child is. */
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

/**
 * How late so many beats came is what the loop's delay is told by. Node's own monitor has a histogram of 430 KB, and a
 * timer that wakes each of many idle processes all the time.
 */
const beatsRemembered = 50;

/** Begins at once; answers the way to stop it. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const { intervalMs, collect } = options;
  let seq = 0;
  let dueAtMs = performance.now();
  let latenesses: readonly number[] = [];
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
    const now = performance.now();
    latenesses = [...latenesses.slice(1 - beatsRemembered), Math.max(0, now - dueAtMs)];
    dueAtMs = now + intervalMs;
    const memory = process.memoryUsage();
    options.send({
      seq: seq++,
      loopDelayP99Ms: Math.round(Math.max(...latenesses)),
      heapUsedBytes: memory.heapUsed,
      externalBytes: memory.external,
      inFlight: options.inFlight(),
      sessions: options.sessions(),
    });
    whenIdle?.();
  };
  beat();
  const timer = setInterval(beat, intervalMs);
  return () => clearInterval(timer);
}
