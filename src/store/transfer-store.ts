/** What the store does for sessions that move between gateways. Types only. */
import type { MovedSession } from '../contract/moved-session.ts';
import type { SessionId } from '../contract/ids.ts';
import type { SessionRow } from './store.ts';

export interface TransferStore {
  /** All of a session that moves; null when it is gone or has no credentials. Nobody may write for it meanwhile. */
  read(id: SessionId): Promise<MovedSession | null>;
  /** Creates a session that is paired already: whole or not at all. Throws `session_exists`. */
  create(id: SessionId, moved: MovedSession, desired: 'running' | 'stopped'): Promise<SessionRow>;
  /** When it was exported, unix milliseconds; null takes it back. */
  setExported(id: SessionId, at: number | null): Promise<void>;
}
