/** Webhooks: where a session's events go. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { noRow, violatedConstraint, type Database } from './pool.ts';
import type { NewWebhook, WebhookRow, WebhooksStore } from './store.ts';
import { sessionIdColumn } from './values.ts';

export function createWebhooksStore(database: Database): WebhooksStore {
  return {
    create: async (session, webhook) => {
      try {
        return await database.run((connection) => insertWebhook(connection, session, webhook));
      } catch (error) {
        switch (violatedConstraint(error)) {
          case 'webhooks_session_id_url_key':
            throw new WardenError('webhook_exists', { cause: error });
          case 'webhooks_session_id_fkey':
            throw new WardenError('session_not_found', { cause: error });
          default:
            throw error;
        }
      }
    },
    list: (session) =>
      database.run((connection) =>
        connection.any(sql.type(webhookRow)`
          select ${webhookColumns} from webhooks w where w.session_id = ${session} order by w.created_at, w.id
        `),
      ),
    delete: (session, id) =>
      database.run(async (connection) => {
        const { rowCount } = await connection.query(sql.type(noRow)`
          delete from webhooks where session_id = ${session} and id = ${id}
        `);
        return rowCount > 0;
      }),
    disable: (session, id) =>
      database.run(async (connection) => {
        const { rowCount } = await connection.query(sql.type(noRow)`
          update webhooks set enabled = false where session_id = ${session} and id = ${id} and enabled
        `);
        return rowCount > 0;
      }),
  };
}

/** Adds a webhook within the caller's connection or transaction. */
export function insertWebhook(
  connection: CommonQueryMethods,
  session: string,
  webhook: NewWebhook,
): Promise<WebhookRow> {
  return connection.one(sql.type(webhookRow)`
    insert into webhooks as w (id, session_id, url, secret, events, ordered)
    values (
      ${webhook.id}, ${session}, ${webhook.url}, ${webhook.secret}, ${sql.array(webhook.events, 'text')},
      ${webhook.ordered}
    )
    returning ${webhookColumns}
  `);
}

/** The columns of a WebhookRow, of the table under the name `w`. */
export const webhookColumns = sql.fragment`
  w.id, w.session_id as session, w.url, w.secret, w.events, w.ordered, w.enabled, w.created_at as "createdAt"
`;

export const webhookRow = z.object({
  id: z.string(),
  session: sessionIdColumn,
  url: z.string(),
  secret: z.string(),
  events: z.array(z.string()),
  ordered: z.boolean(),
  enabled: z.boolean(),
  createdAt: z.number(),
});
