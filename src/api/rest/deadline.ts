import type { ServerResponse } from 'node:http';
import { WardenError } from '../../contract/errors.ts';

/**
 * Runs an operation with its deadline: the caller gets an answer in time, whatever happens. The signal aborts at the
 * deadline and when the caller has gone.
 */
export async function withDeadline<Value>(
  response: ServerResponse,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  response.once('close', onClose);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    gone.abort();
    reject(
      new WardenError('whatsapp_timeout', {
        message: "The gateway has no result in time; see the session's status before you repeat the request.",
      }),
    );
  }, deadlineMs);
  try {
    return await Promise.race([work(gone.signal), late]);
  } finally {
    clearTimeout(timer);
    response.off('close', onClose);
  }
}
