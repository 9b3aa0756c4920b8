/** Logs a session out that WhatsApp cannot be told of. The new epoch keeps whoever may still run from writing. */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { Store } from '../store/store.ts';
import type { LiveSession } from './live-session.ts';

const reason = 'The session was logged out here only; remove the device in the list of linked devices on the phone.';

/** Throws `session_not_found`. */
export async function forgetPairing(
  session: LiveSession,
  { store, clock }: { readonly store: Pick<Store, 'sessions' | 'commits'>; readonly clock: Clock },
): Promise<void> {
  const epoch = await store.sessions.takeEpoch(session.id);
  if (epoch === null) throw new WardenError('session_not_found');
  session.epoch = epoch;
  await store.commits.clearCredentials({ session: session.id, epoch });
  session.keepLink({ ...session.link, isPaired: false, device: null });
  session.setLink('logged_out', reason);
  await store.commits.emit(session.id, { name: 'logged_out', data: { reason, code: null } }, clock.now());
}
