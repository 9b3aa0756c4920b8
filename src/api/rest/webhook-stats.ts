/** How the webhooks of all sessions do. */
import type { ApiDependencies } from '../dependencies.ts';
import { presentWebhookStats } from '../presenters/webhook-stats.ts';
import type { Handlers } from './handler.ts';

/** Failing webhooks that are listed; the contract's description names it. */
const listed = 20;

export function webhookStatsHandlers({ store }: Pick<ApiDependencies, 'store'>): Handlers<'getWebhookStats'> {
  return { getWebhookStats: async () => presentWebhookStats(await store.webhookHealth.totals(listed)) };
}
