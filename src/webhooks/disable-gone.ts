/** A webhook whose receiver is gone for good gets no more deliveries, and the session's other webhooks are told. */
import type { Clock } from '../clock.ts';
import type { Store, WebhookRow } from '../store/store.ts';

export async function disableGone(
  { webhooks, commits }: Pick<Store, 'webhooks' | 'commits'>,
  webhook: WebhookRow,
  clock: Clock,
): Promise<void> {
  const { id, url, session } = webhook;
  // Several deliveries can meet the same answer; only the first one disables.
  if (!(await webhooks.disable(session, id))) return;
  const reason = 'Its receiver answered 410 Gone; delete it, or register it anew.';
  await commits.emit(session, { name: 'webhook_disabled', data: { webhook_id: id, url, reason } }, clock.now());
}
