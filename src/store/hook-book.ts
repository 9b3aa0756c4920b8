/**
 * What the webhooks of sessions want, kept between commits. A commit that relies on it names the versions, and does
 * nothing when the database has others: it is never out of date where that matters.
 */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { conditionsColumn } from './webhook-columns.ts';
import { sessionIdColumn } from './values.ts';
import type { Subscription } from './webhook-match.ts';
import type { DeliveryTarget } from './webhook-records.ts';

/** An enabled webhook. */
export interface Hook extends Subscription {
  readonly id: string;
  readonly session: string;
  readonly ordered: boolean;
  readonly target: Omit<DeliveryTarget, 'previousSecret'>;
  /** The secret before the last rotation, and until when it signs, too. */
  readonly previousSecret: string | null;
  readonly previousSecretUntil: number | null;
  /** Another one after each change of the row. */
  readonly version: string;
}

/** Bounds what is kept of sessions that come and go. */
const maxSessions = 5_000;

export class HookBook {
  readonly #hooks = new Map<string, readonly Hook[]>();

  /** Those of a session that is loaded. */
  of(session: string): readonly Hook[] {
    return this.#hooks.get(session) ?? [];
  }

  /** Reads what is not known of these sessions. */
  async load(connection: CommonQueryMethods, sessions: readonly string[]): Promise<void> {
    const missing = sessions.filter((session) => !this.#hooks.has(session));
    if (missing.length === 0) return;
    const rows = await connection.any(sql.type(hookRow)`
      select id, session_id as session, events, conditions, ordered, ${hookVersion} as version, url, secret,
        allow_private as "allowPrivate", previous_secret as "previousSecret",
        previous_secret_until as "previousSecretUntil"
      from webhooks
      where session_id = any (${sql.array(missing, 'text')}) and enabled
    `);
    if (this.#hooks.size > maxSessions) this.#hooks.clear();
    for (const session of missing) {
      this.#hooks.set(session, rows.filter((row) => row.session === session).map(toHook));
    }
  }

  forget(sessions: readonly string[]): void {
    for (const session of sessions) this.#hooks.delete(session);
  }
}

/** The transaction that wrote the row as it is. */
export const hookVersion = sql.fragment`xmin::text`;

const hookRow = z.object({
  id: z.string(),
  session: sessionIdColumn,
  events: z.array(z.string()),
  conditions: conditionsColumn,
  ordered: z.boolean(),
  version: z.string(),
  url: z.string(),
  secret: z.string(),
  allowPrivate: z.boolean(),
  previousSecret: z.string().nullable(),
  previousSecretUntil: z.number().nullable(),
});

function toHook({ url, secret, allowPrivate, ...row }: z.output<typeof hookRow>): Hook {
  return { ...row, target: { id: row.id, session: row.session, url, secret, allowPrivate } };
}
