/** Webhooks: where a session's events go. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { announceDeliveries, appendEvents } from './event-log.ts';
import { lockLanes } from './lanes.ts';
import { noRow, violatedConstraint, type Database } from './pool.ts';
import { makeAllDue } from './settlements.ts';
import { webhookSecretPlace } from './sealed-places.ts';
import { textOf } from './values.ts';
import type { Vault } from './vault.ts';
import { healthColumns, healthRow, webhookColumns, webhookRow } from './webhook-columns.ts';
import type {
  NewWebhook,
  WebhookConditions,
  WebhookPatch,
  WebhookRow,
  WebhooksStore,
  WebhookView,
} from './webhook-records.ts';

export function createWebhooksStore(database: Database, vault: Vault, newEventId: () => string): WebhooksStore {
  const viewsOf = async (session: string, id: string | null): Promise<readonly WebhookView[]> =>
    database.run(async (connection) => {
      const rows = await connection.any(sql.type(viewRow)`
        select ${webhookColumns}, ${healthColumns}, q.depth as "queueDepth", q.oldest as "oldestPendingAt"
        from webhooks w
        join webhook_health h on h.webhook_id = w.id
        cross join lateral (
          select count(*) as depth, min(d.created_at) as oldest from deliveries d
          where d.webhook_id = w.id and d.status = 'pending'
        ) q
        where w.session_id = ${session} and ${id === null ? sql.fragment`true` : sql.fragment`w.id = ${textOf(id)}`}
        order by w.created_at, w.id
      `);
      return rows.map(toView);
    });

  return {
    create: async (session, webhook) => {
      try {
        return await database.transaction((transaction) => insertWebhook(transaction, vault, { ...webhook, session }));
      } catch (error) {
        throw asConflict(error);
      }
    },
    list: (session) => viewsOf(session, null),
    get: async (session, id) => (await viewsOf(session, id))[0] ?? null,
    update: async (session, id, patch) => {
      try {
        return await database.transaction(async (transaction) => {
          const { rowCount } = await transaction.query(sql.type(noRow)`
            update webhooks set ${assignments(patch)} where session_id = ${session} and id = ${textOf(id)}
          `);
          if (rowCount > 0 && patch.url !== undefined) await forgetFailures(transaction, id);
          return rowCount > 0;
        });
      } catch (error) {
        throw asConflict(error);
      }
    },
    delete: (session, id) =>
      database.transaction(async (transaction) => {
        // In the order in which commits take these rows, and before the deliveries that attempts under way settle.
        await transaction.query(sql.type(noRow)`
          select from webhooks where session_id = ${session} and id = ${textOf(id)} for update
        `);
        await lockLanes(transaction, [id], 'exclusive');
        const { rowCount } = await transaction.query(sql.type(noRow)`
          delete from webhooks where session_id = ${session} and id = ${textOf(id)}
        `);
        return rowCount > 0;
      }),
    switchOff: (session, id) =>
      database.run(async (connection) => {
        const { rowCount } = await connection.query(sql.type(noRow)`
          update webhooks set enabled = false where session_id = ${session} and id = ${textOf(id)}
        `);
        return rowCount > 0;
      }),
    enable: (session, id) =>
      database.transaction(async (transaction) => {
        const { rowCount } = await transaction.query(sql.type(noRow)`
          update webhooks set enabled = true, disabled_reason = null
          where session_id = ${session} and id = ${textOf(id)}
        `);
        if (rowCount === 0) return false;
        await forgetFailures(transaction, id);
        return true;
      }),
    disable: ({ session, id, url }, reason, at) =>
      database.transaction(async (transaction) => {
        // Whoever appends events holds the session's row, and takes it first.
        await transaction.query(sql.type(noRow)`select from sessions where id = ${session} for no key update`);
        const { rowCount } = await transaction.query(sql.type(noRow)`
          update webhooks set enabled = false, disabled_reason = ${textOf(reason)}
          where session_id = ${session} and id = ${id} and enabled
        `);
        if (rowCount === 0) return false;
        const event = { name: 'webhook_disabled', data: { webhook_id: id, url, reason } } as const;
        await appendEvents(transaction, [{ session, event, at }], newEventId);
        return true;
      }),
    rotateSecret: (session, id, { secret, overlapMs }) =>
      database.transaction(async (transaction) =>
        transaction.maybeOne(sql.type(webhookRow)`
          update webhooks w set
            sealed_previous_secret = sealed_secret,
            previous_secret_until = now() + ${overlapMs}::float8 * interval '1 millisecond',
            sealed_secret = ${await sealedSecret(transaction, vault, { session, id, secret })}
          where session_id = ${session} and id = ${textOf(id)}
          returning ${webhookColumns}
        `),
      ),
  };
}

/** Adds a webhook within the caller's transaction. */
export async function insertWebhook(
  transaction: CommonQueryMethods,
  vault: Vault,
  webhook: NewWebhook & { readonly session: string },
): Promise<WebhookRow> {
  return transaction.one(sql.type(webhookRow)`
    with w as (
      insert into webhooks (id, session_id, url, sealed_secret, events, conditions, ordered, allow_private)
      values (
        ${webhook.id}, ${webhook.session}, ${webhook.url},
        ${await sealedSecret(transaction, vault, webhook)}, ${sql.array(webhook.events, 'text')},
        ${conditionsText(webhook.conditions)}::json, ${webhook.ordered}, ${webhook.allowPrivate}
      )
      returning *
    ), health as (
      insert into webhook_health (webhook_id) select id from w
    )
    select ${webhookColumns} from w
  `);
}

async function sealedSecret(
  transaction: CommonQueryMethods,
  vault: Vault,
  { session, id, secret }: { readonly session: string; readonly id: string; readonly secret: string },
) {
  const sealer = await vault.sealerFor(transaction, [session]);
  return sql.binary(sealer.seal(webhookSecretPlace(session, id), Buffer.from(secret)));
}

/** A WebhookView as statements answer it: `webhookColumns`, `healthColumns`, and what waits. */
export const viewRow = webhookRow.extend({
  ...healthRow.shape,
  queueDepth: z.number(),
  oldestPendingAt: z.number().nullable(),
});

export function toView(row: z.output<typeof viewRow>): WebhookView {
  const { queueDepth, oldestPendingAt, now, ...both } = row;
  return { webhook: both, health: both, queueDepth, oldestPendingAt, now };
}

const conditionsText = (conditions: WebhookConditions | null): string | null =>
  conditions === null ? null : textOf(JSON.stringify(conditions));

function assignments({ url, allowPrivate, events, conditions, ordered }: WebhookPatch) {
  return sql.join(
    [
      sql.fragment`id = id`,
      ...(url === undefined ? [] : [sql.fragment`url = ${url}`]),
      ...(allowPrivate === undefined ? [] : [sql.fragment`allow_private = ${allowPrivate}`]),
      ...(events === undefined ? [] : [sql.fragment`events = ${sql.array(events, 'text')}`]),
      ...(conditions === undefined ? [] : [sql.fragment`conditions = ${conditionsText(conditions)}::json`]),
      ...(ordered === undefined ? [] : [sql.fragment`ordered = ${ordered}`]),
    ],
    sql.fragment`, `,
  );
}

/** The breaker closes, the clock towards disabling begins anew, and what waits is due. */
async function forgetFailures(transaction: CommonQueryMethods, webhook: string): Promise<void> {
  await transaction.query(sql.type(noRow)`
    update webhook_health set consecutive_failures = 0, failing_since = null, failure_days = 0, pause_ms = null,
      retry_at = null, probe_until = null
    where webhook_id = ${webhook}
  `);
  await makeAllDue(transaction, [webhook]);
  await announceDeliveries(transaction);
}

function asConflict(error: unknown): unknown {
  switch (violatedConstraint(error)) {
    case 'webhooks_session_id_url_key':
      return new WardenError('webhook_exists', { cause: error });
    case 'webhooks_session_id_fkey':
    case 'data_keys_session_id_fkey':
      return new WardenError('session_not_found', { cause: error });
    default:
      return error;
  }
}
