/** The audit log, to be read. */
import type { ApiDependencies } from '../dependencies.ts';
import { presentAuditEntry } from '../presenters/audit.ts';
import type { Handlers } from './handler.ts';

export function auditHandlers({ store }: Pick<ApiDependencies, 'store'>): Handlers<'listAudit'> {
  return {
    listAudit: async ({ params }) => {
      const { session = null, principal = null, operation = null, from, to, limit, cursor = null } = params;
      const page = await store.audit.list({
        session,
        principal,
        operation,
        from: from === undefined ? null : from * 1000,
        to: to === undefined ? null : to * 1000,
        limit,
        cursor,
      });
      return { entries: page.rows.map(presentAuditEntry), total: page.total, next_cursor: page.nextCursor };
    },
  };
}
