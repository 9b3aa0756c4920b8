/** The process behind a session: what it uses, and why earlier ones ended. */
import { presentExitTo } from '../../presenters/supervision.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { defineSessionPage } from '../session-page.ts';

const shownExits = 30;

export function sessionProcessPage(dependencies: DashboardDependencies) {
  const { store } = dependencies;
  return defineSessionPage(dependencies, {
    tab: 'process',
    template: 'session/process.njk',
    parts: { now: 'session/_process-now.njk', exits: 'session/_exits.njk' },
    script: 'process',
    live: ['session_restarted'],
    load: async ({ row, query, principal }) => {
      const page = await store.children.list(row.id, { limit: shownExits, cursor: query['cursor'] ?? null });
      return { exits: page.rows.map(presentExitTo(principal)), total: page.total, nextCursor: page.nextCursor };
    },
  });
}
