/** What the store keeps of messages that are to be sent later. Types only; times are unix milliseconds. */
import type { SessionId } from '../contract/ids.ts';
import type { AcceptedSend, Page, PageRequest } from './store.ts';

/** A send whose time is not over before it has begun: it expires some time after it is due. */
export interface ScheduledSend extends Omit<AcceptedSend, 'expiresAt'> {
  readonly dueAt: number;
}

/** A message as it is taken over from a request: to be sent now, or later. */
export type NewMessage =
  | { readonly tag: 'accepted'; readonly send: AcceptedSend }
  | { readonly tag: 'scheduled'; readonly send: ScheduledSend };

/** A scheduled message as people look at it. */
export interface ScheduledRow {
  readonly ordinal: number;
  readonly id: string;
  readonly chat: string;
  readonly operation: string;
  readonly body: string | null;
  readonly media: { readonly mimetype: string; readonly bytes: number; readonly fileName: string | null } | null;
  readonly createdAt: number;
  readonly dueAt: number;
}

/** Which sessions a gateway hosts, by the epoch that it took last. */
export interface OwnedSession {
  readonly session: SessionId;
  readonly epoch: number;
}

export interface DueRequest {
  readonly now: number;
  /** How long after its time a message may still be sent. */
  readonly ttlMs: number;
  readonly owned: readonly OwnedSession[];
  readonly limit: number;
}

export interface ScheduledStore {
  /** Throws `message_id_taken` as `messages.accept` does, and `session_not_found`. */
  add(send: ScheduledSend): Promise<void>;
  /** The next one first; throws `invalid_request` for a cursor that is not ours. */
  list(session: SessionId, page: PageRequest): Promise<Page<ScheduledRow>>;
  find(session: SessionId, id: string): Promise<ScheduledRow | null>;
  /** Null when there is none any more. */
  move(session: SessionId, id: string, dueAt: number): Promise<ScheduledRow | null>;
  /** Answers the spooled file that nobody needs any more, null for none; `gone` when there is no such message any more. */
  cancel(session: SessionId, id: string): Promise<{ readonly path: string | null } | 'gone'>;
  /**
   * Moves what is due into `messages`, in the order in which it is due, and answers it. A message belongs to the gateway
   * that hosts its session by the latest epoch; of sessions that nobody should host, and of what is over its time, anybody
   * takes it. None is ever taken twice.
   */
  release(request: DueRequest): Promise<readonly AcceptedSend[]>;
  /** When the next one is due, whoever it belongs to; null when none waits. */
  nextDueAt(): Promise<number | null>;
  /** The sessions of messages that were accepted and are not final. */
  listWaitingSessions(): Promise<readonly SessionId[]>;
}
