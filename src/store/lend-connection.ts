/**
 * Lends connections of the pool for a limited time. The pool itself knows no such limits: it lets everybody wait for a
 * free connection as long as it takes, and a connection whose packets are swallowed stays lent for ever.
 */
import { sql, type DatabasePool, type DatabasePoolConnection } from 'slonik';
import { z } from 'zod';
import { withDeadline, type Deadline } from './deadline.ts';

/** How long a free connection is waited for. */
const acquireTimeoutMs = 2_000;
/** How long a connection may take to show that it is alive. */
const trialTimeoutMs = 1_000;
const alive = sql.type(z.object({}))`select`;

export type Work<T> = (connection: DatabasePoolConnection, deadline: Deadline) => Promise<T>;

/** Throws `storage_unavailable` when no connection is free in time, or when the work takes longer than `timeoutMs`. */
export type Lend = <T>(timeoutMs: number, work: Work<T>) => Promise<T>;

/** How pools of one database try their connections: where one hangs those of all pools may be dead. */
export type Trials = Set<() => void>;

export function createLender(pool: DatabasePool, poolSize: number, trialsOfAll: Trials): Lend {
  let trials: Promise<unknown> | null = null;

  const lend = async <T>(deadline: Deadline, onHung: () => void, work: Work<T>): Promise<T> => {
    const acquiring = setTimeout(deadline.expire, acquireTimeoutMs);
    try {
      const lent = await pool.connect(async (connection) => {
        clearTimeout(acquiring);
        // The pool keeps those in line who have given up; such a connection goes back as it came.
        if (deadline.signal.aborted) return null;
        deadline.signal.addEventListener('abort', onHung);
        // What this throws makes the pool cut the connection.
        return { value: await Promise.race([work(connection, deadline), deadline.expired]) };
      });
      return lent === null ? await deadline.expired : lent.value;
    } finally {
      clearTimeout(acquiring);
    }
  };

  /** All are tried at once, and those that are dead get cut. */
  const tryAll = (): void => {
    const trial = () =>
      withDeadline(trialTimeoutMs, (deadline) => lend(deadline, ignore, (connection) => connection.query(alive)));
    trials ??= Promise.allSettled(Array.from({ length: poolSize }, trial)).finally(() => {
      trials = null;
    });
  };

  trialsOfAll.add(tryAll);
  const onHung = (): void => {
    for (const each of trialsOfAll) each();
  };
  return (timeoutMs, work) => withDeadline(timeoutMs, (deadline) => lend(deadline, onHung, work));
}

const ignore = (): void => undefined;
