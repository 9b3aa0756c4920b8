import type { LinkSnapshot } from '../contract/ipc.ts';
import type { SessionStatus } from '../contract/operations/sessions.ts';
import type { ChildView } from './child-host.ts';
import type { PacingSummary } from './governor.ts';

/** Where a session is now, and the public status that follows. */
export interface SessionView {
  /** Null until a child of this gateway has told of it. */
  readonly link: LinkSnapshot | null;
  readonly child: ChildView | null;
  readonly status: SessionStatus;
  readonly statusReason: string;
  /** Null where nothing paces it. */
  readonly pacing: PacingSummary | null;
}
