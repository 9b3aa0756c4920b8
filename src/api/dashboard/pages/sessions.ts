/** The list of sessions, usable with hundreds of them. */
import { operations } from '../../../contract/index.ts';
import { isAllowed } from '../../auth/principal.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { definePage } from '../page.ts';
import { pageOf, queryOf, sortKeys, wishesOf, withActivity, type ListWishes, type SortKey } from '../session-list.ts';
import { countByStatus, statusWords, toneOf } from '../session-tone.ts';
import { sparklinePoints } from '../sparkline.ts';
import { visibleSessions } from '../visible-sessions.ts';
import { parseSessionId } from '../../../contract/ids.ts';

const spark = { width: 96, height: 24 };
const columnWords: Readonly<Record<SortKey, string>> = {
  id: 'Session',
  status: 'Status',
  memory: 'Memory',
  restarts: 'Restarts',
  activity: 'Last activity',
  created: 'Created',
};

export function sessionsPage(dependencies: DashboardDependencies) {
  const { store, supervisor, sandbox } = dependencies;
  const lineOf = (id: string, capBytes: number): string => {
    const parsed = parseSessionId(id);
    if (parsed === null) return '';
    const memory = supervisor.vitals.ofSession(parsed).map(({ values }) => values.memoryBytes);
    // Low enough for its shape to be seen, and a process that nears its cap reaches the top.
    const highest = Math.max(...memory.map((bytes) => bytes ?? 0));
    return sparklinePoints(memory, { ...spark, ceiling: Math.max(highest * 1.2, capBytes / 4) });
  };
  return definePage({
    path: '/dashboard/sessions',
    title: 'Sessions',
    nav: 'sessions',
    template: 'sessions/page.njk',
    parts: { list: 'sessions/_list.njk' },
    script: 'sessions',
    live: ['session_status', 'session_restarted', 'connected', 'disconnected'],
    load: async ({ principal, query }) => {
      const all = await visibleSessions(dependencies, principal);
      const wishes = wishesOf(query);
      const latest = await store.messages.latestOf(all.flatMap(({ id }) => parseSessionId(id) ?? []));
      const found = pageOf(
        all.map((session) => withActivity(session, latest.get(session.id))),
        wishes,
      );
      return {
        total: all.length,
        wishes,
        found,
        rows: found.sessions.map((session) => ({
          ...session,
          tone: toneOf[session.status],
          words: statusWords[session.status],
          spark: session.child === null ? '' : lineOf(session.id, session.child.memory_cap_bytes),
        })),
        filters: [
          {
            words: 'All',
            count: all.length,
            query: queryOf(wishes, { status: null, page: 1 }),
            isOn: wishes.status === null,
          },
          ...countByStatus(all).map(({ status, words, count }) => ({
            words,
            count,
            query: queryOf(wishes, { status, page: 1 }),
            isOn: wishes.status === status,
          })),
        ],
        shown: queryOf(wishes, {}),
        columns: columnsOf(wishes),
        previous: found.page > 1 ? queryOf(wishes, { page: found.page - 1 }) : null,
        next: found.page < found.pages ? queryOf(wishes, { page: found.page + 1 }) : null,
        sparkBox: spark,
        hasSandbox: sandbox !== null,
        mayCreate: isAllowed(principal, operations.createSession.scope, null),
        mayManage: principal.scopes.includes('manage'),
      };
    },
  });
}

/** Each column with the query that sorts by it, the other way round if it does already. */
function columnsOf(wishes: ListWishes) {
  const entries = sortKeys.map((key) => {
    const isOn = wishes.sort === key;
    const sorted = isOn ? (wishes.isDescending ? 'descending' : 'ascending') : 'none';
    return [
      key,
      {
        words: columnWords[key],
        sorted,
        query: queryOf(wishes, { sort: key, isDescending: isOn && !wishes.isDescending, page: 1 }),
      },
    ] as const;
  });
  return Object.fromEntries(entries);
}
