/** Chooses how a batch of writes is committed: at once where that is possible, else step by step. */
import { commitAtOnce } from './commit-at-once.ts';
import { commitBatch, failedAlready, type Outcome, type Write } from './commit-batch.ts';
import { planCommit, sessionsWithEvents } from './commit-plan.ts';
import { HookBook } from './hook-book.ts';
import type { Database } from './pool.ts';

/** The commit of the queue that all writes of children go through; it is never called while it is under way. */
export function createCommit(
  database: Database,
  newEventId: () => string,
): (writes: readonly Write[]) => Promise<readonly Outcome[]> {
  const hooks = new HookBook();

  const tryAtOnce = async (writes: readonly Write[]): Promise<readonly Outcome[] | null> => {
    const sessions = sessionsWithEvents(writes);
    return database.run(async (connection) => {
      await hooks.load(connection, sessions);
      const plan = planCommit(writes, (session) => hooks.of(session));
      const outcome = plan === null ? null : await commitAtOnce(connection, plan, newEventId);
      if (outcome === null) return null;
      return writes.map((write) =>
        write.tag === 'sending' && outcome.hasFailed(write.body.session, write.body.record.id) ? failedAlready() : null,
      );
    });
  };

  return async (writes) => {
    const outcomes = await tryAtOnce(writes);
    if (outcomes !== null) return outcomes;
    hooks.forget(sessionsWithEvents(writes));
    return database.transaction((transaction) => commitBatch(transaction, writes, newEventId));
  };
}
