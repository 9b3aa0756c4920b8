import type { SessionId } from '../contract/ids.ts';
import type { Backoff } from '../contract/pacing.ts';

/** What pacing has to know of a session's past; times are unix milliseconds. */
export interface PacingStore {
  /** Those of these chats that have written to the session, or that it has written to or begun. */
  knownChats(session: SessionId, chats: readonly string[]): Promise<ReadonlySet<string>>;
  /** When the session was linked, and when it has begun chats since an instant, oldest first. */
  standing(
    session: SessionId,
    since: number,
  ): Promise<{ readonly linkedAt: number | null; readonly openedAt: readonly number[] }>;
  /** The session begins a chat; one that it has begun before keeps its time. */
  openChat(session: SessionId, chat: string, at: number): Promise<void>;
  /** Nothing was sent there after all. */
  closeChat(session: SessionId, chat: string): Promise<void>;
  /** Messages sent through the gateway since an instant. */
  countSent(session: SessionId, since: number): Promise<number>;
  /** Gives an accepted message until then to be sent. */
  postpone(session: SessionId, messageId: string, expiresAt: number): Promise<void>;
  saveBackoff(session: SessionId, backoff: Backoff): Promise<void>;
}
