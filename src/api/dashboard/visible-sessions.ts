/** The sessions that somebody may see, as resources: what lists and counts of pages are made of. */
import type { SessionResource } from '../../contract/operations/sessions.ts';
import type { SessionRow } from '../../store/store.ts';
import { visibleTo, type Principal } from '../auth/principal.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentSession } from '../presenters/session.ts';

const pageSize = 200;

export async function visibleSessions(
  { store, supervisor }: Pick<ApiDependencies, 'store' | 'supervisor'>,
  principal: Principal,
): Promise<readonly SessionResource[]> {
  const rows: SessionRow[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof store.sessions.list>> = await store.sessions.list({
      limit: pageSize,
      cursor,
      ...visibleTo(principal),
    });
    rows.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return rows.map((row) => presentSession(row, supervisor.view(row)));
}
