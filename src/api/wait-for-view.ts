import { WardenError } from '../contract/errors.ts';
import type { SessionRow, Store } from '../store/store.ts';
import type { SessionView, SupervisorPort } from './supervisor-port.ts';

export interface WaitOptions<Found> {
  readonly supervisor: SupervisorPort;
  readonly store: Store;
  readonly row: SessionRow;
  /** Asked at once and after every change; null means not yet. What it throws ends the wait. */
  readonly until: (view: SessionView, row: SessionRow) => Found | null;
  readonly timeoutMs: number;
  /** Ends the wait as if the time were up. */
  readonly signal: AbortSignal;
}

/** Waits until a session looks as wanted; null when the time is up. Throws `session_not_found` when it is deleted meanwhile. */
export async function waitForView<Found>(options: WaitOptions<Found>): Promise<Found | null> {
  const { supervisor, store, row, until, timeoutMs, signal } = options;
  const end = AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, Math.ceil(timeoutMs)))]);
  let change = Promise.withResolvers<void>();
  const notice = (): void => change.resolve();
  // Listening begins before the first look, so that no change falls in between.
  const unlisten = supervisor.onChange(row.id, notice);
  end.addEventListener('abort', notice);
  try {
    for (;;) {
      const current = await store.sessions.get(row.id);
      if (current === null) throw new WardenError('session_not_found');
      const found = until(supervisor.view(current), current);
      if (found !== null) return found;
      if (end.aborted) return null;
      await change.promise;
      change = Promise.withResolvers<void>();
    }
  } finally {
    unlisten();
    end.removeEventListener('abort', notice);
  }
}
