import { objectionToSendAt } from '../../contract/send-at.ts';
import { invalidRequest } from './validation.ts';

/** Throws `invalid_request` for an instant (unix milliseconds) that has passed, or that is too far ahead. */
export function requireReachable(dueAt: number, now: number): void {
  const expected = objectionToSendAt(dueAt, now);
  if (expected === null) return;
  throw invalidRequest([{ field: 'send_at', expected, received: new Date(dueAt).toISOString() }]);
}
