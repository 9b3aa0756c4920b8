/** Has every operation that changes something written down, whoever asks for it. */
import type { AuditLog } from '../audit/audit-log.ts';
import { auditEntryOf, isAudited, statusOfError } from '../audit/audited.ts';
import { ReplayedAnswer } from './idempotency.ts';
import type { OperationRunner } from './operation-runner.ts';
import { statusOf } from './outcome.ts';

export function auditedRun(audit: Pick<AuditLog, 'record'>, carryOut: OperationRunner): OperationRunner {
  return async (name, run) => {
    if (!isAudited(name)) return carryOut(name, run);
    const deed = { name, caller: run.caller, session: run.row?.id ?? null, input: run.input };
    try {
      const result = await carryOut(name, run);
      // An answer that is only repeated was written down when it was new.
      if (!(result instanceof ReplayedAnswer)) {
        audit.record(auditEntryOf({ ...deed, result, status: statusOf(name, result) }));
      }
      return result;
    } catch (error) {
      audit.record(auditEntryOf({ ...deed, status: statusOfError(error) }));
      throw error;
    }
  };
}
