/**
 * Reads a session that has been stopped, to be moved to another gateway. From here on nobody writes for it: with two
 * gateways on one account each would use up keys that the other one still counts on.
 */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { MovedSession } from '../contract/moved-session.ts';
import type { SessionRow, Store } from '../store/store.ts';
import type { LiveSession } from './live-session.ts';

/** Why an exported session is not running, and what to do about it. */
export const exportedReason =
  'The session was exported to be moved to another gateway. Connect it here only if it runs nowhere else, with "take_back": true.';

/** Throws `session_not_found`, `not_paired`. */
export async function exportSession(
  session: LiveSession,
  { store, clock }: { readonly store: Pick<Store, 'sessions' | 'transfers'>; readonly clock: Clock },
): Promise<MovedSession> {
  const epoch = await store.sessions.takeEpoch(session.id);
  if (epoch === null) throw new WardenError('session_not_found');
  session.epoch = epoch;
  await store.transfers.setExported(session.id, clock.now());
  session.setLink('idle', exportedReason);
  await session.saved();
  const moved = await store.transfers.read(session.id);
  if (moved === null) throw new WardenError('not_paired');
  return moved;
}

/** A session that was exported may be started here: it is known to run nowhere else. Throws `session_exported` if not. */
export async function takeBack(
  { id, exportedAt }: SessionRow,
  { transfers }: Pick<Store, 'transfers'>,
  isConfirmed: boolean,
): Promise<void> {
  if (exportedAt === null) return;
  if (!isConfirmed) throw new WardenError('session_exported');
  await transfers.setExported(id, null);
}
