/** What may be asked of the audit log. Times are unix milliseconds. */
import type { Page, PageRequest } from './store.ts';

/** Who did what; holds neither bodies nor tokens nor texts. */
export interface AuditEntry {
  readonly at: number;
  /** `superadmin`, or the id of a token; null for somebody unknown. */
  readonly principal: string | null;
  readonly operation: string;
  readonly session: string | null;
  readonly target: string | null;
  readonly address: string;
  readonly requestId: string;
  /** The HTTP status of the outcome. */
  readonly status: number;
}

export interface AuditRow extends AuditEntry {
  /** The name of the token that the principal is. */
  readonly principalName: string | null;
}

/** Absent conditions are null. */
export interface AuditFilter {
  readonly session: string | null;
  readonly principal: string | null;
  readonly operation: string | null;
  readonly from: number | null;
  /** Exclusive. */
  readonly to: number | null;
}

export interface AuditStore {
  append(entries: readonly AuditEntry[]): Promise<void>;
  /** Latest first; throws `invalid_request` for a cursor that is not ours. */
  list(filter: AuditFilter & PageRequest): Promise<Page<AuditRow>>;
  /** Deletes a batch of entries from before an instant; answers whether more are left. */
  prune(before: number): Promise<boolean>;
}
