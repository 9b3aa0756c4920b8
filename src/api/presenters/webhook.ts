/** What leaves the process of a webhook and its deliveries, field by field: the secret only when it is new. Pure. */
import type { Result } from '../../contract/index.ts';
import type { SessionRow } from '../../store/store.ts';
import type {
  AttemptRow,
  DeliveryRow,
  NewWebhook,
  WebhookConditions,
  WebhookRow,
  WebhookView,
} from '../../store/webhook-records.ts';
import { breakerStateOf, freshHealth } from '../../webhooks/breaker.ts';
import { secondsOrNull, unixSecondsOf } from './session.ts';

type WebhookResource = Result<'getWebhook'>;
type DeliveryResource = Result<'listDeliveries'>['deliveries'][number];

export function presentWebhook({ webhook, health, queueDepth, oldestPendingAt, now }: WebhookView): WebhookResource {
  return {
    id: webhook.id,
    url: webhook.url,
    events: [...webhook.events],
    conditions: webhook.conditions === null ? null : presentConditions(webhook.conditions),
    enabled: webhook.enabled,
    disabled_reason: webhook.disabledReason,
    ordered: webhook.ordered,
    previous_secret_until: secondsOrNull(webhook.previousSecretUntil),
    created_at: unixSecondsOf(webhook.createdAt),
    health: {
      state: breakerStateOf(health, now),
      consecutive_failures: health.consecutiveFailures,
      failing_since: secondsOrNull(health.failingSince),
      retry_at: secondsOrNull(health.retryAt),
      last_success_at: secondsOrNull(health.lastSuccessAt),
      last_failure_at: secondsOrNull(health.lastFailureAt),
      last_error: health.lastError,
      queue_depth: queueDepth,
      oldest_pending_at: secondsOrNull(oldestPendingAt),
    },
  };
}

/** A webhook as it was just written, with its secret. */
export function presentNewWebhook(webhook: WebhookRow, secret: string): Result<'createWebhook'> {
  const { createdAt: now } = webhook;
  const view = { webhook, health: freshHealth, queueDepth: 0, oldestPendingAt: null, now };
  return { ...presentWebhook(view), secret };
}

/** What is stored of a webhook that was created with its session. */
export function rowOfNew(webhook: NewWebhook, { id: session, createdAt }: SessionRow): WebhookRow {
  return { ...webhook, session, enabled: true, disabledReason: null, previousSecretUntil: null, createdAt };
}

function presentConditions({
  chats,
  senders,
  isGroup,
  isFromMe,
  text,
}: WebhookConditions): WebhookResource['conditions'] {
  return {
    ...(chats === null ? {} : { chats: [...chats] }),
    ...(senders === null ? {} : { senders: [...senders] }),
    ...(isGroup === null ? {} : { is_group: isGroup }),
    ...(isFromMe === null ? {} : { is_from_me: isFromMe }),
    ...(text === null ? {} : { text: presentText(text) }),
  };
}

function presentText({ contains, startsWith, matches, ignoreCase }: NonNullable<WebhookConditions['text']>) {
  return {
    ...(contains === null ? {} : { contains }),
    ...(startsWith === null ? {} : { starts_with: startsWith }),
    ...(matches === null ? {} : { matches }),
    ignore_case: ignoreCase,
  };
}

export function presentDelivery(row: DeliveryRow): DeliveryResource {
  return {
    id: row.eventId,
    event: row.name,
    sequence: row.sequence,
    timestamp: unixSecondsOf(row.eventAt),
    status: row.status,
    created_at: unixSecondsOf(row.createdAt),
    attempt_count: row.attemptCount,
    next_attempt_at: secondsOrNull(row.dueAt),
    settled_at: secondsOrNull(row.settledAt),
    attempts: row.attempts.map(presentAttempt),
  };
}

const presentAttempt = (attempt: AttemptRow): DeliveryResource['attempts'][number] => ({
  number: attempt.number,
  at: unixSecondsOf(attempt.at),
  duration_ms: attempt.durationMs,
  http_status: attempt.httpStatus,
  error: attempt.error,
  response_excerpt: attempt.excerpt,
});
