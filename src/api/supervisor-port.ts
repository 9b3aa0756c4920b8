/** What the API needs of the supervisor; the supervisor's own interface fulfils it. */
import type { LinkSnapshot, PairingOffer, SendAnswer } from '../contract/ipc.ts';
import type { SessionId } from '../contract/ids.ts';
import type { SessionResource, SessionStatus } from '../contract/operations/sessions.ts';
import type { AcceptedSend, SessionRow } from '../store/store.ts';

export interface ChildView {
  readonly pid: number | null;
  readonly state: NonNullable<SessionResource['child']>['state'];
  readonly memoryBytes: number | null;
  readonly capBytes: number;
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
}

export interface SupervisorPort {
  connect(id: SessionId): Promise<unknown>;
  disconnect(id: SessionId): Promise<unknown>;
  restart(id: SessionId): Promise<unknown>;
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
  /** Sends what the store has accepted; throws for definite failures, `pending` means that it goes on trying. */
  send(accepted: AcceptedSend): Promise<SendAnswer>;
  view(row: SessionRow): SessionView;
  /** Calls back after every change of the session's view; returns the way to stop it. */
  onChange(id: SessionId, listener: () => void): () => void;
}
