/** Chooses how a batch of writes is committed: at once where that is possible, else step by step. */
import type { Clock } from '../clock.ts';
import type { SessionEvent } from '../contract/events.ts';
import { commitAtOnce } from './commit-at-once.ts';
import { commitBatch, failedAlready, type Outcome, type Write } from './commit-batch.ts';
import { planCommit, sessionsWithEvents, sessionsWithSecrets } from './commit-plan.ts';
import { HookBook } from './hook-book.ts';
import { KeyBook } from './key-book.ts';
import type { LeaseDesk } from './lease-desk.ts';
import type { Database } from './pool.ts';
import type { Vault } from './vault.ts';

interface CommitOptions {
  readonly database: Database;
  readonly newEventId: () => string;
  readonly desk: LeaseDesk;
  readonly clock: Clock;
  readonly vault: Vault;
  /** Hears of events once they are committed. */
  readonly onEvent?: ((event: SessionEvent) => void) | undefined;
}

/** The commit of the queue that all writes of children go through; it is never called while it is under way. */
export function createCommit({
  database,
  newEventId,
  desk,
  clock,
  vault,
  onEvent,
}: CommitOptions): (writes: readonly Write[]) => Promise<readonly Outcome[]> {
  const hooks = new HookBook(vault);
  const keys = new KeyBook(vault);

  const tryAtOnce = async (writes: readonly Write[]): Promise<readonly Outcome[] | null> => {
    const sessions = sessionsWithEvents(writes);
    const taker = desk.free();
    const outcome = await database.run(async (connection) => {
      await hooks.load(connection, sessions);
      const plan = planCommit(writes, (session) => hooks.of(session));
      if (plan === null) return null;
      const sealing = await keys.sealing(connection, sessionsWithSecrets(plan));
      if (sealing === null) return null;
      return commitAtOnce(connection, plan, { newEventId, sealing, taker, now: clock.now() });
    });
    if (outcome === null) return null;
    if (outcome.leased.length > 0) taker?.take(outcome.leased);
    for (const event of outcome.told) onEvent?.(event);
    return writes.map((write) =>
      write.tag === 'sending' && outcome.hasFailed(write.body.session, write.body.record.id) ? failedAlready() : null,
    );
  };

  return async (writes) => {
    const outcomes = await tryAtOnce(writes);
    if (outcomes !== null) return outcomes;
    const sessions = writes.map(({ body }) => body.session);
    hooks.forget(sessions);
    keys.forget(sessions);
    const done = await database.transaction((transaction) => commitBatch(transaction, writes, { newEventId, vault }));
    for (const { event } of done.events) onEvent?.(event);
    return done.outcomes;
  };
}
