/** Tells the supervisor from the main loop, and so only while that loop turns, how the child is. */
import { getHeapStatistics } from 'node:v8';
import type { ChildNotices } from '../contract/ipc.ts';
import { idleCollection } from './idle-collection.ts';

type Heartbeat = ChildNotices['heartbeat'];

interface HeartbeatOptions {
  readonly intervalMs: number;
  /** The interval while there is nothing to do: each beat of an idle process wakes two of them. */
  readonly restIntervalMs: number;
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
/** So many beats without an event or a request make a child that rests. */
const quietBeatsBeforeRest = 3;

/** Begins at once; answers the way to stop it. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const { intervalMs, restIntervalMs, collect } = options;
  const latenessesMs: number[] = [];
  let beats = 0;
  let dueAtMs = performance.now();
  let quietBeats = 0;
  let counted = { events: 0, activity: 0 };
  // process.memoryUsage() would read /proc for a number that nobody wants.
  let heap = getHeapStatistics();
  const whenIdle =
    collect === null
      ? null
      : idleCollection({
          heapUsedBytes: () => heap.used_heap_size,
          activity: () => counted.activity,
          collect: () => {
            collect();
            heap = getHeapStatistics();
          },
        });

  const beat = (): void => {
    latenessesMs[beats % beatsRemembered] = Math.max(0, performance.now() - dueAtMs);
    heap = getHeapStatistics();
    const sessions = options.sessions();
    const inFlight = options.inFlight();
    const before = counted;
    counted = count(sessions);
    quietBeats = counted.events === before.events && inFlight === 0 ? quietBeats + 1 : 0;
    options.send({
      seq: beats++,
      loopDelayP99Ms: Math.round(Math.max(...latenessesMs)),
      heapUsedBytes: heap.used_heap_size,
      externalBytes: heap.external_memory,
      inFlight,
      sessions,
    });
    whenIdle?.();
    plan();
  };
  const plan = (): void => {
    const delayMs = quietBeats >= quietBeatsBeforeRest ? restIntervalMs : intervalMs;
    dueAtMs = performance.now() + delayMs;
    timer = setTimeout(beat, delayMs);
  };

  let timer: NodeJS.Timeout | undefined;
  beat();
  return () => clearTimeout(timer);
}

function count(sessions: Heartbeat['sessions']): { readonly events: number; readonly activity: number } {
  let events = 0;
  let activity = 0;
  for (const told of Object.values(sessions)) {
    events += told.events;
    activity += told.events + told.stanzas;
  }
  return { events, activity };
}
