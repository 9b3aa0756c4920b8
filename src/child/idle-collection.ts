/**
 * Gives memory back when a child has become quiet. V8 collects what is dead by itself, but keeps the pages; only a
 * collection of the last resort returns them to the system, and costs 25 to 45 ms of CPU. So it runs once after a burst
 * of work, and not after a keep-alive.
 */
export interface IdleCollectionOptions {
  /** Heap in use, bytes. */
  readonly heapUsedBytes: () => number;
  /** Whatever changes while the child has something to do. */
  readonly activity: () => number;
  readonly collect: () => void;
}

/** So many looks without work make a quiet child. */
const quietLooks = 3;
/** What must have come together since the last collection. */
const growthBytes = 3 * 1024 * 1024;
/** A burst that is worth a collection of its own, whatever the heap says: buffers lie outside it. */
const busyActivity = 20;

/** Answers what is to be called at regular intervals. */
export function idleCollection({ heapUsedBytes, activity, collect }: IdleCollectionOptions): () => void {
  let lastActivity = activity();
  let burst = 0;
  let quiet = 0;
  let baselineBytes = 0;
  return () => {
    const now = activity();
    const done = now - lastActivity;
    lastActivity = now;
    burst += done;
    quiet = done === 0 ? quiet + 1 : 0;
    if (quiet !== quietLooks) return;
    const wasBusy = burst >= busyActivity;
    burst = 0;
    if (!wasBusy && heapUsedBytes() - baselineBytes < growthBytes) return;
    collect();
    baselineBytes = heapUsedBytes();
  };
}

interface Collector {
  (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }): void;
}

/** V8's collector, where the process was started with --expose-gc. */
export function exposedCollector(): (() => void) | null {
  const collector: unknown = Reflect.get(globalThis, 'gc');
  if (!isCollector(collector)) return null;
  return () => collector({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

const isCollector = (value: unknown): value is Collector => typeof value === 'function';
