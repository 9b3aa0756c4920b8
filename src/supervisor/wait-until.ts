interface WaitOptions<Found> {
  /** Begins to listen for changes; answers the way to stop it. */
  readonly listen: (listener: () => void) => () => void;
  /** Asked at once and after every change; null means not yet. What it throws ends the wait. */
  readonly until: () => Found | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Waits until something is as wanted; null when the time is up or the signal ends the wait. */
export function waitUntil<Found>({ listen, until, timeoutMs, signal }: WaitOptions<Found>): Promise<Found | null> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      unlisten();
      signal.removeEventListener('abort', giveUp);
      settle();
    };
    const giveUp = () => finish(() => resolve(null));
    const look = () => {
      try {
        const found = until();
        if (found !== null) finish(() => resolve(found));
        else if (signal.aborted) giveUp();
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error('the wait failed', { cause: error })));
      }
    };
    const timer = setTimeout(giveUp, timeoutMs);
    const unlisten = listen(look);
    signal.addEventListener('abort', giveUp, { once: true });
    look();
  });
}
