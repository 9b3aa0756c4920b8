/**
 * What the rest of the gateway may ask of the one Postgres store. Types only: the files beside this one implement it,
 * one per table. Times are unix milliseconds, absent values null. Every method throws `storage_unavailable` when the
 * database does not answer.
 */
import type { SessionEvent } from '../contract/events.ts';
import type { MessageId, SessionId } from '../contract/ids.ts';
import type { Backoff, PacingOverrides } from '../contract/pacing.ts';
import type {
  ChildNotices,
  DeviceInfo,
  InboxEntry,
  KnownMessage,
  MediaLocation,
  MessageStatus,
  PreparedMedia,
  StoredValue,
  ToSupervisor,
} from '../contract/ipc.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import type { ScheduledStore } from './scheduled-store.ts';

import type { AuditStore } from './audit-store.ts';
import type { BrowserSessionsStore } from './browser-sessions.ts';
import type { TokensStore } from './tokens-store.ts';
import type { TrafficStore } from './traffic.ts';
import type { TransferStore } from './transfer-store.ts';
import type { WebhookHealthStore } from './webhook-health.ts';
import type { EventsStore } from './events-store.ts';
import type { BulkStore } from './bulk-store.ts';
import type { PacingStore } from './pacing-store.ts';
import type { Rotation } from './rotate-keys.ts';
import type { DeliveriesStore, NewWebhook, OutboxStore, WebhooksStore } from './webhook-records.ts';
import type { WaitingSendsStore } from './waiting-sends.ts';

export type LinkSnapshot = ChildNotices['link'];

export interface SessionRow {
  readonly id: SessionId;
  readonly name: string | null;
  readonly sandbox: boolean;
  /** What a user wants; the supervisor makes it so, also after its own restart. */
  readonly desired: 'running' | 'stopped';
  readonly memoryCapMb: number | null;
  /** Whether it gets a process of its own; null leaves that to the density and to what happens. */
  readonly isolated: boolean | null;
  /** The link as last told; for a session that does not run this is all there is. */
  readonly link: { readonly state: LinkSnapshot['state']; readonly reason: string; readonly until: number | null };
  readonly isPaired: boolean;
  readonly device: DeviceInfo | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastConnectedAt: number | null;
  readonly linkedAt: number | null;
  /** How its pace differs from the gateway's. */
  readonly pacing: PacingOverrides | null;
  /** What followed from WhatsApp's refusals. */
  readonly pacingBackoff: Backoff | null;
  /** When it was exported to be moved to another gateway; null when it is at home here. */
  readonly exportedAt: number | null;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
  readonly nextCursor: string | null;
}

export interface SessionsStore {
  /** Throws `session_exists`. With a webhook, both are created or neither. */
  create(session: {
    readonly id: SessionId;
    readonly name: string | null;
    readonly sandbox: boolean;
    readonly desired: 'running' | 'stopped';
    readonly memoryCapMb: number | null;
    readonly isolated?: boolean | null;
    readonly webhook: NewWebhook | null;
  }): Promise<SessionRow>;
  get(id: SessionId): Promise<SessionRow | null>;
  /** Oldest first, all or only those given; throws `invalid_request` for a cursor that is not ours. */
  list(page: PageRequest & { readonly only?: readonly SessionId[] }): Promise<Page<SessionRow>>;
  /** All sessions that should run, most recently connected first. */
  listDesired(): Promise<readonly SessionRow[]>;
  /** Absent keys stay as they are; null when the session is gone. */
  update(
    id: SessionId,
    patch: {
      readonly name?: string | null;
      readonly memoryCapMb?: number | null;
      readonly isolated?: boolean | null;
      readonly pacing?: PacingOverrides | null;
    },
  ): Promise<SessionRow | null>;
  setDesired(id: SessionId, desired: 'running' | 'stopped'): Promise<void>;
  /** Keeps the latest snapshot of a link; sets lastConnectedAt and linkedAt when it says so. */
  saveLink(snapshot: LinkSnapshot, at: number): Promise<void>;
  /** Deletes the session with everything that belongs to it; false when it was gone. */
  delete(id: SessionId): Promise<boolean>;
  /** Takes the session: from now on writes with an older epoch are refused. Null when the session is gone. */
  takeEpoch(id: SessionId): Promise<number | null>;
}

/** Writes of children, from all of them together in one transaction at a time. */
export interface GroupCommit {
  setKeys(body: ToSupervisor['keys_set']['body']): Promise<void>;
  record(body: ToSupervisor['record']['body']): Promise<void>;
  sending(body: ToSupervisor['message_sending']['body']): Promise<void>;
  clearCredentials(body: ToSupervisor['credentials_clear']['body']): Promise<void>;
  /** An event that the supervisor itself has to tell of a session, at unix milliseconds `at`. */
  emit(session: SessionId, event: SessionEvent, at: number): Promise<void>;
  /** Resolves when everything handed over so far is committed. */
  drain(): Promise<void>;
}

export interface CredentialsStore {
  load(id: SessionId): Promise<{ readonly creds: StoredValue | null; readonly inbox: readonly InboxEntry[] }>;
  getKeys(id: SessionId, type: string, ids: readonly string[]): Promise<Readonly<Record<string, StoredValue>>>;
}

export interface AcceptedSend {
  readonly session: SessionId;
  readonly id: MessageId;
  readonly operation: string;
  readonly params: unknown;
  /** The recipient as asked for; replaced by the resolved one when the child sends it. */
  readonly chat: string;
  readonly acceptedAt: number;
  readonly expiresAt: number;
  /** What the supervisor has prepared of a message with media; its file lies in the spool until the message is final. */
  readonly media: PreparedMedia | null;
}

export interface StoredMessage extends KnownMessage {
  readonly status: MessageStatus;
  readonly errorCode: string | null;
}

/** A message as people look at it. */
export interface MessageRow {
  readonly ordinal: number;
  readonly id: string;
  readonly chat: string;
  /** Null until a child has resolved whose message it is. */
  readonly sender: string | null;
  readonly fromMe: boolean;
  /** Null until a child has built it; what was asked for says what it will be. */
  readonly type: string | null;
  readonly operation: string | null;
  readonly body: string | null;
  readonly at: number;
  readonly status: MessageStatus;
  readonly errorCode: string | null;
  readonly editedAt: number | null;
  readonly deletedAt: number | null;
  readonly sentAt: number | null;
  readonly deliveredAt: number | null;
  readonly readAt: number | null;
  readonly playedAt: number | null;
  readonly failedAt: number | null;
  readonly media: MediaLocation | null;
}

export interface ChatRow {
  readonly messageCount: number;
  readonly lastMessage: MessageRow;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor: string | null;
}

/** Absent conditions are null. */
export interface MessageFilter {
  /** The addresses that the chat may have. */
  readonly chat: readonly string[] | null;
  readonly direction: 'in' | 'out' | null;
  /** Part of the text, in any case. */
  readonly search: string | null;
}

/** What was asked for of an own message. */
export interface SentContent {
  readonly id: string;
  /** That of the message it repeats, when it forwards one of our own. */
  readonly operation: string;
  /** As they were accepted; null but for places, cards and polls. */
  readonly params?: unknown;
  /** The id of the message that it quotes. */
  readonly replyTo: string | null;
  /** The id of the message that it forwards. */
  readonly forwardOf: string | null;
}

export interface MessagesStore extends WaitingSendsStore {
  /** Throws `message_id_taken` when this session already has a message of its own with this id. */
  accept(send: AcceptedSend): Promise<void>;
  /** By id alone: receipts and retries come from other addresses than the send went to. */
  get(session: SessionId, id: string): Promise<StoredMessage | null>;
  /** Accepted and neither sent nor failed, oldest first. */
  listAccepted(session: SessionId): Promise<readonly AcceptedSend[]>;
  /** Fails an accepted message; `event` is emitted only if it was not final yet. */
  fail(
    session: SessionId,
    id: string,
    failure: { readonly at: number; readonly errorCode: string | null; readonly event: SessionEvent | null },
  ): Promise<void>;
  /** Newest first, without edits, deletions, reactions and pins. Throws `invalid_request` for a cursor that is not ours. */
  list(session: SessionId, filter: MessageFilter & PageRequest): Promise<Page<MessageRow>>;
  find(session: SessionId, id: string): Promise<MessageRow | null>;
  /** The chat with the latest message first; throws as `list` does. */
  listChats(session: SessionId, page: PageRequest): Promise<Page<ChatRow>>;
  /** When the latest message of each of these sessions was written, unix milliseconds; sessions without one are left out. */
  latestOf(sessions: readonly SessionId[]): Promise<ReadonlyMap<string, number>>;
  /** Of these messages the own ones that were sent through the gateway and are not deleted. */
  listSentContents(session: SessionId, ids: readonly string[]): Promise<readonly SentContent[]>;
  /** What the account reacted with to these messages, through the gateway; an empty text for a reaction taken back. */
  listOwnReactions(session: SessionId, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Deletes a batch of messages from before an instant; answers whether more are left. */
  prune(before: number): Promise<boolean>;
  /** Forgets a batch of what was told before an instant, and of changes whose messages never came; answers as `prune`. */
  forget(before: number): Promise<boolean>;
}

/** Media that can be sent by its id until it expires, from sessions of the same side: the sandbox, or the real one. */
export interface UploadedMedia {
  readonly id: string;
  readonly sandbox: boolean;
  readonly prepared: PreparedMedia;
  readonly expiresAt: number;
}

export interface MediaStore {
  /** Where the file of a message lies; `unknown` for a message that is not there, null for one without a file. */
  location(session: SessionId, messageId: string): Promise<MediaLocation | null | 'unknown'>;
  /** WhatsApp has the file somewhere else now. */
  moved(session: SessionId, messageId: string, location: MediaLocation): Promise<void>;
  /** Paths of spooled files that accepted and scheduled messages still need. */
  listSpooled(): Promise<readonly string[]>;
  keepUploaded(media: UploadedMedia): Promise<void>;
  /** Null when there is none of that side, or its time is over. */
  getUploaded(id: string, sandbox: boolean, now: number): Promise<UploadedMedia | null>;
  deleteExpired(now: number): Promise<void>;
}

/** Why a process of a session ended, what was seen of it, and what followed. Times are unix milliseconds. */
export interface ChildExit {
  readonly at: number;
  readonly cause: string;
  readonly detail: string;
  readonly pid: number | null;
  readonly code: number | null;
  readonly signal: string | null;
  readonly uptimeMs: number;
  readonly memoryCapBytes: number;
  /** Oldest first. */
  readonly memory: readonly {
    readonly at: number;
    readonly privateBytes: number;
    readonly heapBytes: number | null;
    readonly externalBytes: number | null;
  }[];
  readonly growth: 'heap' | 'external' | 'native' | null;
  /** The last words of the process, redacted. */
  readonly stderr: string;
  /** `reconnected`: the process went on, only the link was made anew. */
  readonly action: 'restarted' | 'retried_slowly' | 'given_up' | 'stopped' | 'reconnected';
  readonly delayMs: number | null;
  /** Which sessions of the process are likely to have brought it down; null when none can have. */
  readonly culprits: { readonly sessions: readonly string[]; readonly grounds: string } | null;
  readonly movedToOwnChild: boolean;
}

export interface ChildExitRow extends ChildExit {
  /** When the session was connected, or waited for its pairing, again; null when it has not been since. */
  readonly backAt: number | null;
}

export interface ChildrenStore {
  /** Keeps the latest records of each session; does nothing for a session that is gone. */
  add(session: SessionId, exit: ChildExit): Promise<void>;
  /** The session works again. */
  cameBack(session: SessionId, at: number): Promise<void>;
  /** Newest first; throws `invalid_request` for a cursor that is not ours. */
  list(session: SessionId, page: PageRequest): Promise<Page<ChildExitRow>>;
  /** Of all sessions, newest first; what people ended themselves is left out. */
  listRecent(limit: number): Promise<readonly (ChildExitRow & { readonly session: SessionId })[]>;
}

/** Connections of the pool by what they do, and work that waits for one. */
export interface PoolUse {
  readonly acquired: number;
  readonly idle: number;
  readonly waiting: number;
  readonly size: number;
}

export interface EncryptionStore {
  /** Wraps the keys of all sessions with the gateway's first key; safe to interrupt and to repeat. */
  rotate(): Promise<Rotation>;
}

/** Small values of the gateway itself: generated secrets stay in files, never here. */
export interface Store {
  readonly sessions: SessionsStore;
  readonly children: ChildrenStore;
  readonly credentials: CredentialsStore;
  readonly commits: GroupCommit;
  readonly messages: MessagesStore;
  readonly scheduled: ScheduledStore;
  readonly idempotency: IdempotencyStore;
  readonly media: MediaStore;
  readonly pacing: PacingStore;
  readonly bulks: BulkStore;
  readonly webhooks: WebhooksStore;
  readonly webhookHealth: WebhookHealthStore;
  readonly outbox: OutboxStore;
  readonly browserSessions: BrowserSessionsStore;
  readonly tokens: TokensStore;
  readonly audit: AuditStore;
  readonly traffic: TrafficStore;
  readonly events: EventsStore;
  readonly deliveries: DeliveriesStore;
  readonly encryption: EncryptionStore;
  readonly transfers: TransferStore;
  /** `SELECT 1` within the time given; throws `storage_unavailable`. */
  ping(timeoutMs: number): Promise<void>;
  /** How the pool of connections is used. */
  connections(): PoolUse;
  close(): Promise<void>;
}
