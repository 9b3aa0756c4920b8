/** The webhooks of a session. */
import { WardenError } from '../../contract/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentCreatedWebhook, presentWebhook } from '../presenters/webhook.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { newWebhook } from './new-webhook.ts';

export function webhookHandlers({
  store,
}: ApiDependencies): Handlers<'createWebhook' | 'listWebhooks' | 'deleteWebhook'> {
  return {
    createWebhook: async (call) =>
      presentCreatedWebhook(await store.webhooks.create(sessionOf(call).id, newWebhook(call.params))),

    listWebhooks: async (call) => {
      const rows = await store.webhooks.list(sessionOf(call).id);
      return { webhooks: rows.map(presentWebhook), total: rows.length, next_cursor: null };
    },

    deleteWebhook: async (call) => {
      const isDeleted = await store.webhooks.delete(sessionOf(call).id, call.params.webhook_id);
      if (!isDeleted) throw new WardenError('webhook_not_found');
      return { success: true, message: 'Webhook deleted.' };
    },
  };
}
