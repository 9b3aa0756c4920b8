/** What leaves the process of the webhooks of all sessions. Pure. */
import type { Result } from '../../contract/index.ts';
import type { WebhookTotals } from '../../store/webhook-health.ts';
import { secondsOrNull } from './session.ts';
import { presentWebhook } from './webhook.ts';

export function presentWebhookStats(totals: WebhookTotals): Result<'getWebhookStats'> {
  return {
    webhooks: totals.webhooks,
    disabled: totals.disabled,
    queue_depth: totals.queueDepth,
    oldest_pending_at: secondsOrNull(totals.oldestPendingAt),
    held: totals.held,
    dead: totals.dead,
    failing: totals.failing,
    failing_webhooks: totals.failingWebhooks.map((view) => {
      const { id, url, enabled, disabled_reason, health } = presentWebhook(view);
      return { id, session_id: view.webhook.session, url, enabled, disabled_reason, health };
    }),
  };
}
