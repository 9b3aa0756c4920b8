/** Which of all events one stream tells. Pure. */
import { eventNames } from '../../contract/events.ts';
import type { SessionId } from '../../contract/ids.ts';
import { sessionNoticeNames } from '../../contract/stream-notices.ts';
import type { EventSelection } from '../../store/events-store.ts';
import { isAllowed, type Principal } from '../auth/principal.ts';

/** What was asked for; null wants all. */
export interface Wanted {
  /** The session of a stream that is about one session. */
  readonly only: SessionId | null;
  readonly sessions: readonly SessionId[] | null;
  readonly names: readonly string[] | null;
}

/** Whoever has one of these can link a phone of their own to the session. */
const codes: ReadonlySet<string> = new Set(['qr_code', 'pair_code']);
const allNames: readonly string[] = [...eventNames, ...sessionNoticeNames];

/** What of it this principal may see; null when there is nothing left to ask for. */
export function selectionOf(principal: Principal | null, wanted: Wanted): EventSelection | null {
  if (principal === null || !principal.scopes.includes('read')) return null;
  const names = principal.scopes.includes('manage')
    ? wanted.names
    : (wanted.names ?? allNames).filter((name) => !codes.has(name));
  if (wanted.only !== null)
    return isAllowed(principal, 'read', wanted.only) ? { sessions: [wanted.only], names } : null;
  const { sessions } = principal;
  if (sessions === 'all') return { sessions: wanted.sessions, names };
  return { sessions: sessions.filter((id) => wanted.sessions?.includes(id) ?? true), names };
}

export function isSelected(
  { sessions, names }: EventSelection,
  event: { readonly session: string; readonly name: string },
): boolean {
  return (sessions?.includes(event.session) ?? true) && (names?.includes(event.name) ?? true);
}
