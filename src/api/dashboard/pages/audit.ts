/** The audit log, page by page. */
import { operations } from '../../../contract/index.ts';
import { auditHandlers } from '../../rest/audit.ts';
import { callerOf } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { assertAllowed, definePage } from '../page.ts';

const pageSize = 50;
const filters = ['session', 'principal', 'operation'] as const;

export function auditPage(dependencies: DashboardDependencies) {
  const { listAudit } = auditHandlers(dependencies);
  return definePage({
    path: '/dashboard/settings/audit',
    title: 'Audit log',
    nav: 'settings',
    template: 'settings/audit.njk',
    parts: {},
    script: null,
    live: [],
    load: async ({ ctx, principal, query }) => {
      assertAllowed(principal, operations.listAudit.scope, null);
      const wanted = Object.fromEntries(
        filters.flatMap((name) => {
          const text = (query[name] ?? '').trim().slice(0, 100);
          return text === '' ? [] : [[name, text]];
        }),
      );
      const { cursor } = query;
      const {
        entries,
        total,
        next_cursor: next,
      } = await listAudit({
        params: { ...wanted, limit: pageSize, ...(cursor === undefined ? {} : { cursor }) },
        row: null,
        upload: null,
        caller: callerOf(ctx),
        signal: AbortSignal.timeout(operations.listAudit.deadlineMs),
      });
      const { session = '', principal: who = '', operation = '' } = wanted;
      return {
        entries,
        total,
        values: { session, principal: who, operation },
        isFiltered: Object.keys(wanted).length > 0,
        isFirst: cursor === undefined,
        newest: new URLSearchParams(wanted).toString(),
        earlier: next === null ? null : new URLSearchParams({ ...wanted, cursor: next }).toString(),
      };
    },
  });
}
