/** What leaves the process of a webhook, field by field: the secret only at its creation. Pure. */
import type { Result } from '../../contract/index.ts';
import type { WebhookRow } from '../../store/store.ts';
import { unixSecondsOf } from './session.ts';

type WebhookResource = Result<'listWebhooks'>['webhooks'][number];

export function presentWebhook(row: WebhookRow): WebhookResource {
  return {
    id: row.id,
    url: row.url,
    events: [...row.events],
    enabled: row.enabled,
    ordered: row.ordered,
    created_at: unixSecondsOf(row.createdAt),
  };
}

export function presentCreatedWebhook(row: WebhookRow): Result<'createWebhook'> {
  return { ...presentWebhook(row), secret: row.secret };
}
