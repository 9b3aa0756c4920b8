/** What the API needs of the supervisor; the supervisor's own interface fulfils it. */
import type { LinkSnapshot, LinkTarget, PairingOffer, PreparedMedia, SendAnswer, ToChild } from '../contract/ipc.ts';
import type { SessionId } from '../contract/ids.ts';
import type { MovedSession } from '../contract/moved-session.ts';
import type { SessionResource, SessionStatus } from '../contract/operations/sessions.ts';
import type { AcceptedSend, SessionRow } from '../store/store.ts';
import type { UnsureAcceptance } from '../store/waiting-sends.ts';
import type { SupervisorStats } from '../supervisor/stats.ts';
import type { PacingSummary } from '../supervisor/governor.ts';
import type { NewSessionWishes } from '../supervisor/admission.ts';

export interface ChildView {
  readonly pid: number | null;
  readonly state: NonNullable<SessionResource['child']>['state'];
  readonly memoryBytes: number | null;
  readonly capBytes: number;
  readonly memoryWarning: {
    readonly growth: 'heap' | 'external' | 'native' | null;
    readonly memoryBytes: number;
  } | null;
  readonly sessions: number;
  readonly restarts: number;
  /** `at` in unix milliseconds. */
  readonly lastExit: { readonly cause: string; readonly at: number; readonly detail: string } | null;
}

/** Where a session is now: its link and child as last told, and the public status that follows from them. */
export interface SessionView {
  readonly link: LinkSnapshot | null;
  readonly child: ChildView | null;
  readonly status: SessionStatus;
  readonly statusReason: string;
  /** Null where nothing paces it. */
  readonly pacing?: PacingSummary | null;
}

/** At unix milliseconds `at`; null where nothing was known. */
export interface SessionVitals {
  readonly at: number;
  readonly values: Readonly<Record<'memoryBytes' | 'cpuPercent' | 'loopDelayMs', number | null>>;
}

export interface FleetVitals {
  readonly at: number;
  readonly values: Readonly<
    Record<'supervisorBytes' | 'childrenBytes' | 'postgresBytes' | 'simulatorBytes' | 'connected', number | null>
  >;
}

export interface SupervisorPort {
  /** What processes used over the last hour, oldest first. */
  readonly vitals: {
    ofSession(id: SessionId): readonly SessionVitals[];
    ofFleet(): readonly FleetVitals[];
  };
  /** Throws `capacity_exhausted` when there is no room for another session. */
  assertCapacity(wishes: NewSessionWishes): void;
  /** Makes changes of a session's row true for its process. */
  reconsider(id: SessionId): Promise<unknown>;
  stats(): SupervisorStats;
  /** Finds out what of `stats` takes time to find out; resolves at once when that was done just now. */
  weigh(): Promise<void>;
  /** `takesBack`: a session that was exported runs nowhere else. */
  connect(id: SessionId, takesBack?: boolean): Promise<unknown>;
  /** Stops a session for good and answers all of it, for another gateway. Throws `not_paired`. */
  export(id: SessionId): Promise<MovedSession>;
  disconnect(id: SessionId): Promise<unknown>;
  restart(id: SessionId, takesBack?: boolean): Promise<unknown>;
  logout(id: SessionId): Promise<unknown>;
  /** Stops the session, unlinks it when it is connected, and deletes it from the store. */
  remove(id: SessionId): Promise<unknown>;
  pairCode(
    id: SessionId,
    request: { readonly phone: string; readonly customCode: string | null; readonly showPushNotification: boolean },
  ): Promise<PairingOffer>;
  call(id: SessionId, name: string, params: unknown, deadlineMs: number): Promise<unknown>;
  /** Throws `session_not_connected` when a send could not go out now. */
  assertSendable(id: SessionId): void | Promise<void>;
  /**
   * Sends what the store has accepted; throws for definite failures, `pending` means that it goes on trying. With
   * `isAdmitted` pacing has let it through already.
   */
  send(accepted: AcceptedSend, isAdmitted?: boolean): Promise<SendAnswer>;
  /**
   * Has the store accept (`take`) a message that `send` is called for next; throws what that throws. When nobody knows then
   * whether it is there, it is sent if its caller can ask again under the same id (`isRepeatable`), else taken back.
   */
  accept(
    message: UnsureAcceptance,
    acceptance: { readonly take: () => Promise<void>; readonly isRepeatable: boolean },
  ): Promise<void>;
  /** Where the session is linked to. */
  targetOf(row: SessionRow): Promise<LinkTarget>;
  /** Uploads prepared media without sending it. */
  uploadMedia(id: SessionId, media: PreparedMedia): Promise<ToChild['upload_media']['answer']>;
  /** Has the phone upload the file of a message again. */
  renewMedia(id: SessionId, messageId: string): Promise<ToChild['renew_media']['answer']>;
  view(row: SessionRow): SessionView;
  /** Calls back after every change of the session's view; returns the way to stop it. */
  onChange(id: SessionId, listener: () => void): () => void;
}
