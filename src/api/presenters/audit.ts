/** What leaves the process of an entry of the audit log. Pure. */
import type { AuditResource } from '../../contract/operations/audit.ts';
import type { AuditRow } from '../../store/audit-store.ts';
import { unixSecondsOf } from './session.ts';

export function presentAuditEntry(row: AuditRow): AuditResource {
  return {
    at: unixSecondsOf(row.at),
    principal: row.principal,
    principal_name: row.principalName,
    operation: row.operation,
    session_id: row.session,
    target: row.target,
    address: row.address,
    request_id: row.requestId,
    status: row.status,
  };
}
