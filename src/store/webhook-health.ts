/** How the webhooks of all sessions do, in one question. */
import { sql } from 'slonik';
import { z } from 'zod';
import type { Database } from './pool.ts';
import { healthColumns, webhookColumns } from './webhook-columns.ts';
import type { WebhookView } from './webhook-records.ts';
import { toView, viewRow } from './webhooks.ts';

export interface WebhookTotals {
  readonly webhooks: number;
  readonly disabled: number;
  /** Deliveries that wait, those of disabled webhooks aside: these are `held`. */
  readonly queueDepth: number;
  readonly oldestPendingAt: number | null;
  readonly held: number;
  readonly dead: number;
  /** Webhooks whose last attempt failed, or that the gateway has disabled. */
  readonly failing: number;
  /** Some of them: the disabled ones first, then those that fail for longest. */
  readonly failingWebhooks: readonly WebhookView[];
}

/** How many webhooks are in which state: those that are on by their breaker, the others apart. */
export type WebhookStates = Readonly<Record<'closed' | 'open' | 'half_open' | 'off', number>>;

export interface WebhookHealthStore {
  states(): Promise<WebhookStates>;
  /** Of all sessions, with at most `limit` failing webhooks. */
  totals(limit: number): Promise<WebhookTotals>;
}

export function createWebhookHealthStore(database: Database): WebhookHealthStore {
  return {
    states: () =>
      database.run((connection) =>
        connection.one(sql.type(statesRow)`
          select
            count(*) filter (where w.enabled and h.retry_at is null) as closed,
            count(*) filter (where w.enabled and h.retry_at is not null and not ${isProbed}) as open,
            count(*) filter (where w.enabled and h.retry_at is not null and ${isProbed}) as half_open,
            count(*) filter (where not w.enabled) as off
          from webhooks w join webhook_health h on h.webhook_id = w.id
        `),
      ),
    totals: (limit) =>
      database.run(async (connection) => {
        const totals = await connection.one(sql.type(totalsRow)`
          select
            count(*) as webhooks,
            count(*) filter (where not w.enabled) as disabled,
            count(*) filter (where ${isFailing}) as failing,
            coalesce(sum(p.depth) filter (where w.enabled), 0)::float8 as "queueDepth",
            min(p.oldest) filter (where w.enabled) as "oldestPendingAt",
            coalesce(sum(p.depth) filter (where not w.enabled), 0)::float8 as held,
            (select count(*) from deliveries where status = 'dead') as dead
          from webhooks w
          join webhook_health h on h.webhook_id = w.id
          left join (
            select webhook_id, count(*) as depth, min(created_at) as oldest from (${pending}) d group by webhook_id
          ) p on p.webhook_id = w.id
        `);
        if (totals.failing === 0) return { ...totals, failingWebhooks: [] };
        const rows = await connection.any(sql.type(viewRow)`
          select ${webhookColumns}, ${healthColumns}, q.depth as "queueDepth", q.oldest as "oldestPendingAt"
          from (
            select w.* from webhooks w join webhook_health h on h.webhook_id = w.id
            where ${isFailing}
            order by w.disabled_reason is null, h.failing_since nulls last, w.id limit ${limit}
          ) w
          join webhook_health h on h.webhook_id = w.id
          cross join lateral (
            select count(*) as depth, min(d.created_at) as oldest from (${pending}) d where d.webhook_id = w.id
          ) q
          order by w.disabled_reason is null, h.failing_since nulls last, w.id
        `);
        return { ...totals, failingWebhooks: rows.map(toView) };
      }),
  };
}

const statesRow = z.object({ closed: z.number(), open: z.number(), half_open: z.number(), off: z.number() });
const isProbed = sql.fragment`(h.probe_until is not null and h.probe_until > now())`;
const isFailing = sql.fragment`(w.disabled_reason is not null or (w.enabled and h.failing_since is not null))`;

/** In two halves, each of which an index over what waits answers: the log may hold millions of others. */
const pending = sql.fragment`
  select webhook_id, created_at from deliveries where status = 'pending' and not blocked
  union all
  select webhook_id, created_at from deliveries where status = 'pending' and lane is not null and blocked
`;

const totalsRow = z.object({
  webhooks: z.number(),
  disabled: z.number(),
  failing: z.number(),
  queueDepth: z.number(),
  oldestPendingAt: z.number().nullable(),
  held: z.number(),
  dead: z.number(),
});
