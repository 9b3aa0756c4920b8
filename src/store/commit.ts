/** Chooses how a batch of writes is committed: at once where that is possible, else step by step. */
import type { Clock } from '../clock.ts';
import { commitAtOnce } from './commit-at-once.ts';
import { commitBatch, failedAlready, type Outcome, type Write } from './commit-batch.ts';
import { planCommit, sessionsWithEvents } from './commit-plan.ts';
import { HookBook } from './hook-book.ts';
import type { LeaseDesk } from './lease-desk.ts';
import type { Database } from './pool.ts';

interface CommitOptions {
  readonly database: Database;
  readonly newEventId: () => string;
  readonly desk: LeaseDesk;
  readonly clock: Clock;
}

/** The commit of the queue that all writes of children go through; it is never called while it is under way. */
export function createCommit({
  database,
  newEventId,
  desk,
  clock,
}: CommitOptions): (writes: readonly Write[]) => Promise<readonly Outcome[]> {
  const hooks = new HookBook();

  const tryAtOnce = async (writes: readonly Write[]): Promise<readonly Outcome[] | null> => {
    const sessions = sessionsWithEvents(writes);
    const taker = desk.free();
    const outcome = await database.run(async (connection) => {
      await hooks.load(connection, sessions);
      const plan = planCommit(writes, (session) => hooks.of(session));
      return plan === null ? null : commitAtOnce(connection, plan, { newEventId, taker, now: clock.now() });
    });
    if (outcome === null) return null;
    if (outcome.leased.length > 0) taker?.take(outcome.leased);
    return writes.map((write) =>
      write.tag === 'sending' && outcome.hasFailed(write.body.session, write.body.record.id) ? failedAlready() : null,
    );
  };

  return async (writes) => {
    const outcomes = await tryAtOnce(writes);
    if (outcomes !== null) return outcomes;
    hooks.forget(sessionsWithEvents(writes));
    return database.transaction((transaction) => commitBatch(transaction, writes, newEventId));
  };
}
