/** The outbox: deliveries that are due, under lease, or settled. All times are the database's own clock. */
import { sql } from 'slonik';
import { z } from 'zod';
import { assertNever } from '../contract/assert-never.ts';
import type { NotificationListener } from './notification-listener.ts';
import { noRow, type Database } from './pool.ts';
import type { ClaimedDelivery, DeliveryOutcome, OutboxStore } from './store.ts';
import { textOf } from './values.ts';
import { webhookColumns, webhookRow } from './webhooks.ts';

/** Deliveries that one webhook may have under lease, so that a slow receiver does not take all places. */
const maxLeasesPerWebhook = 4;

export function createOutboxStore(database: Database, listener: NotificationListener): OutboxStore {
  return {
    claim: (limit, leaseMs) =>
      database.run(async (connection) => {
        if (limit <= 0) return [];
        const rows = await connection.any(sql.type(claimedRow)`
          with due as (
            select d.id
            from webhooks w
            cross join lateral (
              select p.id, p.due_at from deliveries p
              where p.webhook_id = w.id and p.status = 'pending' and p.due_at <= now() and ${unleased}
                and (not w.ordered or p.id = ${headOfWebhook})
              order by p.due_at, p.id
              limit greatest(0, ${maxLeasesPerWebhook}::bigint - ${leasesOfWebhook})
              for update skip locked
            ) d
            where w.enabled
            order by d.due_at, d.id
            limit ${limit}
          )
          update deliveries d set lease_until = now() + ${leaseMs} * interval '1 millisecond'
          from due, webhooks w, events e
          where d.id = due.id and w.id = d.webhook_id and e.id = d.event_id
          returning d.id as delivery_id, d.attempts, ${webhookColumns},
            e.id as event_id, e.name, e.sequence, e.at, e.data
        `);
        return rows.toSorted((a, b) => a.delivery_id - b.delivery_id).map(toClaimed);
      }),
    settle: async (deliveryId, outcome) => {
      if (!/^\d{1,15}$/.test(deliveryId)) return;
      const { status, httpStatus, error, delayMs } = settlement(outcome);
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update deliveries set
            status = ${status},
            attempts = attempts + 1,
            due_at = now() + ${delayMs} * interval '1 millisecond',
            lease_until = null,
            last_status = ${httpStatus},
            last_error = ${textOf(error)},
            last_duration_ms = ${Math.round(outcome.durationMs)},
            settled_at = case when ${status === 'pending'} then null else now() end
          where id = ${Number(deliveryId)} and status = 'pending'
        `),
      );
    },
    nextDueInMs: () =>
      database.run(async (connection) => {
        const { wait } = await connection.one(sql.type(z.object({ wait: z.number().nullable() }))`
          select extract(epoch from min(d.free_at) - now())::float8 * 1000 as wait
          from webhooks w
          cross join lateral (
            select greatest(
              min(greatest(p.due_at, coalesce(p.lease_until, p.due_at))),
              case when ${leasesOfWebhook} >= ${maxLeasesPerWebhook}::bigint then (
                select min(l.lease_until) from deliveries l where l.webhook_id = w.id and l.status = 'pending'
              ) end
            ) as free_at
            from deliveries p
            where p.webhook_id = w.id and p.status = 'pending' and (not w.ordered or p.id = ${headOfWebhook})
          ) d
          where w.enabled
        `);
        return wait === null ? null : Math.max(0, Math.ceil(wait));
      }),
    onNew: (callback) => listener.add('warden_deliveries', () => callback()),
  };
}

const unleased = sql.fragment`(p.lease_until is null or p.lease_until <= now())`;

/** The oldest open delivery of the webhook `w`. */
const headOfWebhook = sql.fragment`(
  select min(h.id) from deliveries h where h.webhook_id = w.id and h.status = 'pending'
)`;

const leasesOfWebhook = sql.fragment`(
  select count(*) from deliveries l where l.webhook_id = w.id and l.status = 'pending' and l.lease_until > now()
)`;

const claimedRow = webhookRow.extend({
  delivery_id: z.number(),
  attempts: z.number(),
  event_id: z.string(),
  name: z.string(),
  sequence: z.number(),
  at: z.number(),
  data: z.unknown(),
});

function toClaimed(row: z.output<typeof claimedRow>): ClaimedDelivery {
  const { delivery_id: deliveryId, attempts, event_id: eventId, name, sequence, at, data, ...webhook } = row;
  return {
    id: String(deliveryId),
    webhook,
    attempts,
    event: { id: eventId, name, session: webhook.session, sequence, at, data },
  };
}

function settlement(outcome: DeliveryOutcome) {
  switch (outcome.tag) {
    case 'delivered':
      return { status: 'delivered', httpStatus: outcome.httpStatus, error: null, delayMs: 0 };
    case 'retry':
      return { status: 'pending', httpStatus: outcome.httpStatus, error: outcome.error, delayMs: outcome.delayMs };
    case 'dead':
      return { status: 'dead', httpStatus: outcome.httpStatus, error: outcome.error, delayMs: 0 };
    default:
      return assertNever(outcome);
  }
}
