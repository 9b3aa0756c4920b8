/** What an attempt to send an accepted message can come to. Pure. */
import { errorCatalogue, type WardenError } from '../contract/errors.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { AcceptedSend } from '../store/store.ts';

/** What came of one attempt: `waiting` may go out later and has not failed. */
export type Attempt =
  | { readonly tag: 'sent' | 'pending'; readonly answer: SendAnswer }
  | { readonly tag: 'waiting'; readonly error: WardenError }
  | { readonly tag: 'failed'; readonly error: WardenError };

/** The chat as it was asked for: the store's is another once the recipient has been resolved. */
export function chatOf({ params, chat }: AcceptedSend): string {
  const to: unknown = typeof params === 'object' && params !== null && 'to' in params ? params.to : null;
  return typeof to === 'string' ? to : chat;
}

/** The answer to whoever does not wait any longer. */
export const pendingOf = ({ chat, acceptedAt }: AcceptedSend): SendAnswer => ({
  to: chat,
  status: 'pending',
  at: acceptedAt,
});

/** A failure that the same message would meet again; what the phone has to do first may take for ever. */
export const isDefinite = (error: WardenError): boolean =>
  !errorCatalogue[error.code].retryable || error.code === 'app_state_unavailable';
