import type { SessionEvent } from '../contract/events.ts';
import type { SessionId } from '../contract/ids.ts';
import type { PreparedMedia } from '../contract/ipc.ts';
import type { RecipientState } from '../contract/operations/bulk.ts';
import type { AcceptedSend, Page, PageRequest } from './store.ts';

/** Times are unix milliseconds. */
export interface NewBulk {
  readonly id: string;
  readonly session: SessionId;
  readonly name: string | null;
  readonly operation: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly prepared: PreparedMedia | null;
  readonly mediaUntil: number | null;
  readonly intervalMs: number;
  readonly jitterMs: number;
  readonly ttlMs: number;
  readonly startAt: number;
  readonly createdAt: number;
}

export interface BulkRow extends NewBulk {
  readonly status: 'running' | 'paused' | 'cancelled' | 'finished';
  readonly statusReason: string;
  readonly finishedAt: number | null;
  readonly held: { readonly until: number; readonly reason: string } | null;
}

export type BulkCounts = Readonly<Record<RecipientState, number>> & {
  readonly total: number;
  /** Messages accepted within the last minute. */
  readonly lastMinute: number;
};

export interface QueuedRecipient {
  readonly position: number;
  readonly chat: string;
  readonly variables: Readonly<Record<string, string>>;
}

export interface BulkRecipientRow {
  readonly position: number;
  readonly chat: string;
  readonly state: RecipientState;
  readonly messageId: string | null;
  readonly code: string | null;
}

/** Whoever works on a bulk, and for how long it is theirs without another word. */
export interface BulkLease {
  readonly id: string;
  readonly owner: string;
  readonly leaseMs: number;
}

export interface BulkStore {
  create(
    bulk: NewBulk,
    recipients: readonly (Omit<QueuedRecipient, 'position'> & { readonly isDuplicate: boolean })[],
  ): Promise<void>;
  /** Null when the session has none with this id. */
  get(session: SessionId, id: string): Promise<BulkRow | null>;
  /** Newest first; throws `invalid_request` for a cursor that is not ours. */
  list(session: SessionId, page: PageRequest): Promise<Page<BulkRow>>;
  /** In the order given. */
  countAll(bulks: readonly Pick<BulkRow, 'id' | 'session'>[], now: number): Promise<readonly BulkCounts[]>;
  listRecipients(
    bulk: Pick<BulkRow, 'id' | 'session'>,
    filter: PageRequest & { readonly state: RecipientState | null },
  ): Promise<Page<BulkRecipientRow>>;
  /** Pauses a running one, or lets a paused one run; false when it is neither of these. */
  setStatus(id: string, status: 'running' | 'paused', reason: string): Promise<boolean>;
  /** Cancels what has not begun; false when it was over. */
  cancel(id: string, at: number, event: (counts: BulkCounts) => SessionEvent): Promise<boolean>;
  /** Running ones that nobody works on, and whose time to start has come. */
  listUnowned(now: number): Promise<readonly Pick<BulkRow, 'id' | 'session'>[]>;
  /** Takes or keeps the lease, by the database's clock; null when it is somebody else's, or no longer running. */
  hold(lease: BulkLease): Promise<BulkRow | null>;
  release(lease: Pick<BulkLease, 'id' | 'owner'>): Promise<void>;
  setHeld(lease: Pick<BulkLease, 'id' | 'owner'>, held: BulkRow['held']): Promise<void>;
  /** Beyond a position, in their order. */
  listQueued(id: string, after: number, limit: number): Promise<readonly QueuedRecipient[]>;
  /**
   * Accepts the message of one recipient: its row and what the recipient says of it, or neither. False when the recipient
   * is not queued any more, or the bulk is no longer this owner's.
   */
  accept(lease: Pick<BulkLease, 'id' | 'owner'>, position: number, send: AcceptedSend): Promise<boolean>;
  /** Finishes a running one that nothing more becomes of; false when another has done so. */
  finish(
    lease: Pick<BulkLease, 'id' | 'owner'>,
    at: number,
    event: (counts: BulkCounts) => SessionEvent,
  ): Promise<boolean>;
  /** Deletes what was finished before an instant. */
  prune(before: number): Promise<void>;
}
