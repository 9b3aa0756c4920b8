/** The operations on what is behind sessions: their processes. */
import type { ApiDependencies } from '../dependencies.ts';
import { presentExitTo, presentStats } from '../presenters/supervision.ts';
import { sessionOf, type Handlers } from './handler.ts';

export function supervisionHandlers(dependencies: ApiDependencies): Handlers<'listChildExits' | 'getStats'> {
  const { store, supervisor } = dependencies;
  return {
    listChildExits: async (call) => {
      const { limit, cursor = null } = call.params;
      const page = await store.children.list(sessionOf(call).id, { limit, cursor });
      return {
        exits: page.rows.map(presentExitTo(call.caller.principal)),
        total: page.total,
        next_cursor: page.nextCursor,
      };
    },
    getStats: async () => {
      await supervisor.weigh();
      return presentStats(supervisor.stats());
    },
  };
}
