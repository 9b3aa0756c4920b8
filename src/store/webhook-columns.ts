/** How webhooks lie in their table. */
import { sql } from 'slonik';
import { z } from 'zod';
import { sessionIdColumn } from './values.ts';

/** The columns of a WebhookRow, of the table under the name `w`. */
export const webhookColumns = sql.fragment`
  w.id, w.session_id as session, w.url, w.events, w.conditions, w.ordered, w.allow_private as "allowPrivate",
  w.enabled, w.disabled_reason as "disabledReason",
  case when w.previous_secret_until > now() then w.previous_secret_until end as "previousSecretUntil",
  w.created_at as "createdAt"
`;

export const conditionsColumn = z
  .object({
    chats: z.array(z.string()).nullable(),
    senders: z.array(z.string()).nullable(),
    isGroup: z.boolean().nullable(),
    isFromMe: z.boolean().nullable(),
    text: z
      .object({
        contains: z.string().nullable(),
        startsWith: z.string().nullable(),
        matches: z.string().nullable(),
        ignoreCase: z.boolean(),
      })
      .nullable(),
  })
  .nullable();

export const webhookRow = z.object({
  id: z.string(),
  session: sessionIdColumn,
  url: z.string(),
  events: z.array(z.string()),
  conditions: conditionsColumn,
  ordered: z.boolean(),
  allowPrivate: z.boolean(),
  enabled: z.boolean(),
  disabledReason: z.string().nullable(),
  previousSecretUntil: z.number().nullable(),
  createdAt: z.number(),
});

/** The columns of an EndpointHealth, of the table webhook_health under the name `h`. */
export const healthColumns = sql.fragment`
  h.consecutive_failures as "consecutiveFailures", h.failing_since as "failingSince", h.failure_days as "failureDays",
  h.last_success_at as "lastSuccessAt", h.last_failure_at as "lastFailureAt", h.last_error as "lastError",
  h.pause_ms as "pauseMs", h.retry_at as "retryAt", h.probe_until as "probeUntil",
  (extract(epoch from now()) * 1000)::float8 as now
`;

export const healthRow = z.object({
  consecutiveFailures: z.number(),
  failingSince: z.number().nullable(),
  failureDays: z.number(),
  lastSuccessAt: z.number().nullable(),
  lastFailureAt: z.number().nullable(),
  lastError: z.string().nullable(),
  pauseMs: z.number().nullable(),
  retryAt: z.number().nullable(),
  probeUntil: z.number().nullable(),
  now: z.number(),
});
