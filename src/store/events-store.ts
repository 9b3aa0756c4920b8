/** What event streams ask of the store; `events.ts` implements it. Types only; the conventions are those of `store.ts`. */
import type { SessionNoticeName } from '../contract/stream-notices.ts';
import type { ClaimedDelivery } from './webhook-records.ts';

type DeliveredEvent = ClaimedDelivery['event'];

export interface StoredEvent extends DeliveredEvent {
  /** In the one order of all sessions, which is the order of commits. */
  readonly position: number;
}

/** Null wants all. */
export interface EventSelection {
  readonly sessions: readonly string[] | null;
  readonly names: readonly string[] | null;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Where to go on: whatever was wanted up to here is in the page. */
  readonly through: number;
  readonly isLast: boolean;
}

export interface SessionNotice {
  readonly event: SessionNoticeName;
  readonly session: string;
}

export type LatestEvent = Pick<StoredEvent, 'name' | 'at' | 'data'>;

export interface EventsStore {
  /** The position of the latest event, and whose positions they are: another database has another identity. */
  head(): Promise<{ readonly identity: string; readonly position: number }>;
  /** In order; a page looks at a bounded number of positions, so that it may be empty although it is not the last. */
  listAfter(position: number, selection: EventSelection, limit: number): Promise<EventPage>;
  /** Of one session the latest events that have one of these names, newest first; looks at the last `among` events. */
  listLatest(
    session: string,
    selection: { readonly names: readonly string[]; readonly among: number },
  ): Promise<readonly LatestEvent[]>;
  /** The highest position at which an event of these sessions was deleted while the session lives; 0 for none. */
  prunedThrough(sessions: readonly string[] | null): Promise<number>;
  /** Which of these sessions there are. */
  existing(sessions: readonly string[]): Promise<ReadonlySet<string>>;
  /** Calls back when events were committed, or may have been; answers the way to stop it. */
  onNew(listener: () => void): () => void;
  /** Calls back when a session was created, changed or deleted; null says that some of that may have been missed. */
  onNotice(listener: (notice: SessionNotice | null) => void): () => void;
}
