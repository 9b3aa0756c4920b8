/** Bounds a piece of work that may never end by itself. */
import { WardenError } from '../contract/errors.ts';

export interface Deadline {
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** Rejects when the time is over. */
  readonly expired: Promise<never>;
  /** Ends the time now. */
  readonly expire: () => void;
}

/** Throws what `work` throws, and `storage_unavailable` when the time is over first; the work goes on unheard then. */
export async function withDeadline<T>(timeoutMs: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const expire = (): void => {
    const error = new WardenError('storage_unavailable', { retryAfterMs: 1_000 });
    ending.abort(error);
    reject(error);
  };
  const timer = setTimeout(expire, timeoutMs);
  try {
    return await Promise.race([work({ signal: ending.signal, expired, expire }), expired]);
  } finally {
    clearTimeout(timer);
  }
}
