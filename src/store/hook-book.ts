/**
 * What the webhooks of sessions want, kept between commits. A commit that relies on it names the versions, and does
 * nothing when the database has others: it is never out of date where that matters.
 */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { openTargets, targetRow } from './outbox.ts';
import { bytesColumn } from './values.ts';
import type { Vault } from './vault.ts';
import { conditionsColumn } from './webhook-columns.ts';
import type { Subscription } from './webhook-match.ts';
import type { DeliveryTarget } from './webhook-records.ts';

/** An enabled webhook. */
export interface Hook extends Subscription {
  readonly id: string;
  readonly session: string;
  readonly ordered: boolean;
  /** With the secret before the last rotation, however long ago that was; null when a secret does not open. */
  readonly target: DeliveryTarget | null;
  /** Until when the secret before the last rotation signs, too. */
  readonly previousSecretUntil: number | null;
  /** Another one after each change of the row. */
  readonly version: string;
}

/** Bounds what is kept of sessions that come and go. */
const maxSessions = 5_000;

export class HookBook {
  readonly #vault: Vault;
  readonly #hooks = new Map<string, readonly Hook[]>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** Those of a session that is loaded. */
  of(session: string): readonly Hook[] {
    return this.#hooks.get(session) ?? [];
  }

  /** Reads what is not known of these sessions. */
  async load(connection: CommonQueryMethods, sessions: readonly string[]): Promise<void> {
    const missing = sessions.filter((session) => !this.#hooks.has(session));
    if (missing.length === 0) return;
    const rows = await connection.any(sql.type(hookRow)`
      select id, session_id as session, events, conditions, ordered, ${hookVersion} as version, url,
        sealed_secret as secret, allow_private as "allowPrivate", sealed_previous_secret as "previousSecret",
        previous_secret_until as "previousSecretUntil"
      from webhooks
      where session_id = any (${sql.array(missing, 'text')}) and enabled
    `);
    const targets = await this.#openTargets(connection, rows);
    const hooks = rows.map((row): Hook => toHook(row, targets.get(row.id) ?? null));
    if (this.#hooks.size > maxSessions) this.#hooks.clear();
    for (const session of missing) {
      this.#hooks.set(
        session,
        hooks.filter((hook) => hook.session === session),
      );
    }
  }

  forget(sessions: readonly string[]): void {
    for (const session of sessions) this.#hooks.delete(session);
  }

  /** By webhook. A secret that is not there or does not open keeps nobody's events from being committed. */
  async #openTargets(
    connection: CommonQueryMethods,
    rows: readonly z.output<typeof hookRow>[],
  ): Promise<ReadonlyMap<string, DeliveryTarget>> {
    const sealed = rows.flatMap(({ secret, ...row }) => (secret === null ? [] : [{ ...row, secret }]));
    const opened = await openTargets(connection, this.#vault, sealed).catch((error: unknown) => {
      // The vault has not the key of a key.
      if (error instanceof WardenError) return [];
      throw error;
    });
    return new Map(opened.flatMap((target) => (target === null ? [] : [[target.id, target]])));
  }
}

/** The transaction that wrote the row as it is. */
export const hookVersion = sql.fragment`xmin::text`;

const hookRow = targetRow.extend({
  events: z.array(z.string()),
  conditions: conditionsColumn,
  ordered: z.boolean(),
  version: z.string(),
  secret: bytesColumn.nullable(),
  previousSecretUntil: z.number().nullable(),
});

function toHook(row: z.output<typeof hookRow>, target: DeliveryTarget | null): Hook {
  const { id, session, events, conditions, ordered, version, previousSecretUntil } = row;
  return { id, session, events, conditions, ordered, version, previousSecretUntil, target };
}
