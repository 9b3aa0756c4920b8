/** What the rest of the gateway may ask of webhooks, their deliveries and the outbox. Times are unix milliseconds. */
import type { SessionEvent } from '../contract/events.ts';
import type { SessionId } from '../contract/ids.ts';
import type { Origin } from '../contract/ipc.ts';
import type { LeaseTaker } from './lease-desk.ts';
import type { Page, PageRequest } from './store.ts';

/** What an event must be like to be delivered; null asks nothing. */
export interface WebhookConditions {
  /** JIDs, of which one must be the chat. */
  readonly chats: readonly string[] | null;
  readonly senders: readonly string[] | null;
  readonly isGroup: boolean | null;
  readonly isFromMe: boolean | null;
  readonly text: {
    readonly contains: string | null;
    readonly startsWith: string | null;
    /** `*` stands for anything. */
    readonly matches: string | null;
    readonly ignoreCase: boolean;
  } | null;
}

export interface NewWebhook {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly events: readonly string[];
  readonly conditions: WebhookConditions | null;
  /** One delivery at a time for each chat, in the order of the events. */
  readonly ordered: boolean;
  /** Whether its URL may lead to private addresses: decided by who set it. */
  readonly allowPrivate: boolean;
}

/** Without its secret, which is read for deliveries only. */
export interface WebhookRow extends Omit<NewWebhook, 'secret'> {
  readonly session: SessionId;
  readonly enabled: boolean;
  /** Why it was disabled by the gateway; null when it was not. */
  readonly disabledReason: string | null;
  /** Until when the secret before this one signs, too; null when there is none. */
  readonly previousSecretUntil: number | null;
  readonly createdAt: number;
}

/** How the receiver of a webhook has been doing. */
export interface EndpointHealth {
  /** Since the last success. */
  readonly consecutiveFailures: number;
  /** The first failure after the last success. */
  readonly failingSince: number | null;
  /** On how many days (UTC) it has failed since then. */
  readonly failureDays: number;
  readonly lastSuccessAt: number | null;
  readonly lastFailureAt: number | null;
  readonly lastError: string | null;
  /** While the breaker is open: for how long it opened last, and when the receiver is tried again. */
  readonly pauseMs: number | null;
  readonly retryAt: number | null;
  /** While one delivery tries whether the receiver is back: until when that is waited for. */
  readonly probeUntil: number | null;
}

/** A webhook as people look at it. */
export interface WebhookView {
  readonly webhook: WebhookRow;
  readonly health: EndpointHealth;
  readonly queueDepth: number;
  readonly oldestPendingAt: number | null;
  /** The database's clock: states are told by it. */
  readonly now: number;
}

export interface WebhookPatch {
  readonly url?: string;
  readonly allowPrivate?: boolean;
  readonly events?: readonly string[];
  readonly conditions?: WebhookConditions | null;
  readonly ordered?: boolean;
}

export interface WebhooksStore {
  /** Throws `webhook_exists` for a url that the session has already. */
  create(session: SessionId, webhook: NewWebhook): Promise<WebhookRow>;
  list(session: SessionId): Promise<readonly WebhookView[]>;
  get(session: SessionId, id: string): Promise<WebhookView | null>;
  /** Absent keys stay as they are; another url forgets how the old one was doing. False when there is none; throws as `create`. */
  update(session: SessionId, id: string, patch: WebhookPatch): Promise<boolean>;
  /** False when there was none. */
  delete(session: SessionId, id: string): Promise<boolean>;
  /** Switches it off because a user wants that. False when there is none. */
  switchOff(session: SessionId, id: string): Promise<boolean>;
  /** Switches it on, forgets its failures, and makes all that waits for it due. False when there is none. */
  enable(session: SessionId, id: string): Promise<boolean>;
  /** Gives it no more deliveries and tells the session's other webhooks, both or neither; false when it was off already. */
  disable(webhook: DeliveryTarget, reason: string, at: number): Promise<boolean>;
  /** A new secret; the present one signs beside it for `overlapMs`. Null when there is no such webhook. */
  rotateSecret(session: SessionId, id: string, change: SecretChange): Promise<WebhookRow | null>;
}

export interface SecretChange {
  readonly secret: string;
  readonly overlapMs: number;
}

/** What is needed of a webhook to send to it. */
export interface DeliveryTarget {
  readonly id: string;
  readonly session: SessionId;
  readonly url: string;
  readonly secret: string;
  /** The secret before the last rotation, while it still signs. */
  readonly previousSecret: string | null;
  readonly allowPrivate: boolean;
}

/** A delivery that its claimer holds a lease on. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly webhook: DeliveryTarget;
  /** The attempts made before this one. */
  readonly attempts: number;
  /** How many of those do not count in the retry schedule: before a replay, or as probes. */
  readonly scheduleOffset: number;
  /** False for one that is sent before its time, to find out whether the receiver is back. */
  readonly isDue: boolean;
  /** Whether others wait behind it. */
  readonly isLaned: boolean;
  /** Whether its webhook may have more that wait for a place: it has all of its places in use, or its receiver is probed. */
  readonly isCrowded: boolean;
  /** Whose request the event follows from, where that is known. */
  readonly origin?: Origin;
  readonly event: {
    readonly id: string;
    readonly name: string;
    readonly session: SessionId;
    readonly sequence: number;
    readonly at: number;
    readonly data: unknown;
  };
}

interface Ended {
  readonly durationMs: number;
  readonly httpStatus: number | null;
  /** The beginning of the answer's body; null when there was none. */
  readonly excerpt: string | null;
}

export type DeliveryOutcome =
  | (Ended & { readonly tag: 'delivered'; readonly httpStatus: number })
  | (Ended & { readonly tag: 'retry'; readonly error: string; readonly delayMs: number })
  /** It was sent before its time, in vain: it waits as before. */
  | (Ended & { readonly tag: 'probed'; readonly error: string })
  | (Ended & { readonly tag: 'dead'; readonly error: string });

export interface Settlement {
  readonly delivery: Pick<ClaimedDelivery, 'id' | 'attempts' | 'isLaned'> & {
    readonly webhook: { readonly id: string };
  };
  readonly outcome: DeliveryOutcome;
  /** What the attempt says of the receiver. May be called more than once; `now` is the database's clock. */
  readonly judge: (health: EndpointHealth, now: number) => EndpointHealth;
}

export interface OutboxStore {
  /**
   * Due deliveries, at most `limit`, leased for `leaseMs` by the database's clock: a dispatcher that dies loses them to
   * the next one. Of each lane only the first is claimed, of a webhook no more than a few at a time, and of one whose
   * breaker is open nothing but one probe when it is time for that.
   */
  claim(limit: number, leaseMs: number): Promise<readonly ClaimedDelivery[]>;
  /** Many at a time share a transaction; does nothing when the delivery is settled already, or was claimed by another since. */
  settle(settlement: Settlement): Promise<void>;
  /** Milliseconds until the next delivery is due, or null when none waits. */
  nextDueInMs(): Promise<number | null>;
  /** Calls back whenever deliveries became due by a commit (LISTEN); returns the way to stop it. */
  onNew(listener: () => void): () => void;
  /**
   * Gives deliveries that this store's commits create to the taker, leased already, where a claim would find them at
   * once: nobody else has to be asked then. Those that have to wait are left to a claim. Returns the way to stop it.
   */
  onLeased(taker: LeaseTaker): () => void;
}

/** One HTTP request of a delivery. */
export interface AttemptRow {
  readonly number: number;
  readonly at: number;
  readonly durationMs: number;
  readonly httpStatus: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
}

/** `held`: it waits for its webhook to be enabled. */
export type DeliveryStatus = 'pending' | 'delivered' | 'dead' | 'held';

/** A delivery as people look at it; it goes by the id of its event, as receivers do. */
export interface DeliveryRow {
  readonly eventId: string;
  readonly name: string;
  readonly sequence: number;
  /** When it happened. */
  readonly eventAt: number;
  readonly status: DeliveryStatus;
  readonly createdAt: number;
  readonly attemptCount: number;
  /** When the next attempt is due; null for one that is not pending. */
  readonly dueAt: number | null;
  readonly settledAt: number | null;
  /** The latest, oldest first. */
  readonly attempts: readonly AttemptRow[];
}

/** Absent conditions are null; the times are those at which the gateway wrote the event down. */
export interface DeliveryFilter {
  readonly status: DeliveryStatus | null;
  readonly event: string | null;
  readonly from: number | null;
  /** Exclusive. */
  readonly to: number | null;
}

export interface WebhookKey {
  readonly session: SessionId;
  readonly webhook: string;
}

export interface ReplayFilter {
  readonly status: 'dead' | 'delivered' | 'all';
  readonly from: number | null;
  readonly to: number | null;
}

export interface DeliveriesStore {
  /** Newest first. Throws `webhook_not_found`, and `invalid_request` for a cursor that is not ours. */
  list(key: WebhookKey, filter: DeliveryFilter & PageRequest): Promise<Page<DeliveryRow>>;
  /** With all attempts that are kept, and the event's data. Throws `webhook_not_found`; null when there is no such delivery. */
  get(key: WebhookKey, eventId: string): Promise<(DeliveryRow & { readonly data: unknown }) | null>;
  /** Makes it due again from the beginning of the schedule, and one that is pending due at once; false when there is none. */
  replay(key: WebhookKey, eventId: string): Promise<boolean>;
  /** The same for all that the filter finds and are not pending; answers how many. Test deliveries are left out. */
  replayAll(key: WebhookKey, filter: ReplayFilter): Promise<number>;
  /** Creates deliveries of events that the webhook wants and has had none for; answers how many. */
  createMissed(key: WebhookKey, range: Pick<ReplayFilter, 'from' | 'to'>): Promise<number>;
  /** Writes an event down for this webhook alone, whatever it wants, leased to the caller. Null when there is no such webhook. */
  createOnly(
    key: WebhookKey,
    event: SessionEvent,
    lease: { readonly at: number; readonly leaseMs: number },
  ): Promise<ClaimedDelivery | null>;
  /** Deletes a batch of dead deliveries, and of those held for a disabled webhook, from before an instant; answers whether more are left. */
  pruneDead(before: number): Promise<boolean>;
  /**
   * Deletes a batch of events from before an instant with their deliveries, except where one is pending or dead. Answers
   * where to go on, null when there are no more.
   */
  pruneEvents(before: number, after: string | null): Promise<string | null>;
}
