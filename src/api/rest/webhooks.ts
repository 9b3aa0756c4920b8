/** The webhooks of a session. */
import { WardenError } from '../../contract/errors.ts';
import type { Result } from '../../contract/index.ts';
import type { SessionId } from '../../contract/ids.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentNewWebhook, presentWebhook } from '../presenters/webhook.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { newWebhook, permittedUrl, storedConditions, urlRights, usableSecret } from './new-webhook.ts';

type WebhookOperationName =
  | 'createWebhook'
  | 'listWebhooks'
  | 'getWebhook'
  | 'updateWebhook'
  | 'deleteWebhook'
  | 'testWebhook'
  | 'enableWebhook'
  | 'rotateWebhookSecret';

export function webhookHandlers(dependencies: ApiDependencies): Handlers<WebhookOperationName> {
  const { store, settings, webhookTester } = dependencies;
  const { webhooks } = store;
  const rightsOf = urlRights(settings.outboundAllowCidr);

  const show = async (session: SessionId, id: string): Promise<Result<'getWebhook'>> => {
    const view = await webhooks.get(session, id);
    if (view === null) throw new WardenError('webhook_not_found');
    return presentWebhook(view);
  };
  const requireFound = (isFound: boolean): void => {
    if (!isFound) throw new WardenError('webhook_not_found');
  };

  return {
    createWebhook: async (call) => {
      const webhook = newWebhook(call.params, { rights: rightsOf(call.caller.principal) });
      return presentNewWebhook(await webhooks.create(sessionOf(call).id, webhook), webhook.secret);
    },

    listWebhooks: async (call) => {
      const views = await webhooks.list(sessionOf(call).id);
      return { webhooks: views.map(presentWebhook), total: views.length, next_cursor: null };
    },

    getWebhook: (call) => show(sessionOf(call).id, call.params.webhook_id),

    updateWebhook: async (call) => {
      const session = sessionOf(call).id;
      const { webhook_id: id, url, events, conditions, ordered, enabled } = call.params;
      const rights = rightsOf(call.caller.principal);
      const isFound = await webhooks.update(session, id, {
        ...(url === undefined ? {} : { url: permittedUrl(url, { rights }), allowPrivate: rights.allowPrivate }),
        ...(events === undefined ? {} : { events: [...new Set(events)] }),
        ...(conditions === undefined ? {} : { conditions: conditions === null ? null : storedConditions(conditions) }),
        ...(ordered === undefined ? {} : { ordered }),
      });
      requireFound(isFound);
      if (enabled === false) requireFound(await webhooks.switchOff(session, id));
      if (enabled === true) requireFound(await webhooks.enable(session, id));
      return show(session, id);
    },

    deleteWebhook: async (call) => {
      requireFound(await webhooks.delete(sessionOf(call).id, call.params.webhook_id));
      return { success: true, message: 'Webhook deleted.' };
    },

    testWebhook: async (call) => {
      const outcome = await webhookTester.test({ session: sessionOf(call).id, webhook: call.params.webhook_id });
      return {
        delivered: outcome.isDelivered,
        delivery_id: outcome.eventId,
        http_status: outcome.httpStatus,
        duration_ms: Math.round(outcome.durationMs),
        error: outcome.error,
        response_excerpt: outcome.excerpt,
      };
    },

    enableWebhook: async (call) => {
      const session = sessionOf(call).id;
      requireFound(await webhooks.enable(session, call.params.webhook_id));
      return show(session, call.params.webhook_id);
    },

    rotateWebhookSecret: async (call) => {
      const session = sessionOf(call).id;
      const { webhook_id: id } = call.params;
      const secret = usableSecret(call.params.secret);
      const row = await webhooks.rotateSecret(session, id, { secret, overlapMs: settings.secretOverlapMs });
      if (row === null) throw new WardenError('webhook_not_found');
      return { ...(await show(session, id)), secret };
    },
  };
}
