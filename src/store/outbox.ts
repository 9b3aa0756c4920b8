/** The outbox: which deliveries are due, and who has them under lease. All times are the database's own clock. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { Logger } from '../log.ts';
import type { CommitQueue } from './group-commit.ts';
import type { LeaseDesk } from './lease-desk.ts';
import type { NotificationListener } from './notification-listener.ts';
import type { Database } from './pool.ts';
import { webhookSecretPlace } from './sealed-places.ts';
import { bytesColumn, sessionIdColumn } from './values.ts';
import type { Vault } from './vault.ts';
import type { ClaimedDelivery, DeliveryTarget, OutboxStore, Settlement } from './webhook-records.ts';

/** Deliveries that one webhook may have under lease, so that a slow receiver does not take all places. */
export const maxLeasesPerWebhook = 4;

interface OutboxParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly listener: NotificationListener;
  readonly settling: CommitQueue<Settlement>;
  readonly desk: LeaseDesk;
  readonly log: Logger;
}

export function createOutboxStore({ database, vault, listener, settling, desk, log }: OutboxParts): OutboxStore {
  return {
    claim: (limit, leaseMs) =>
      database.run(async (connection) => {
        if (limit <= 0) return [];
        const lease = sql.fragment`now() + ${leaseMs} * interval '1 millisecond'`;
        const rows = await connection.any(sql.type(claimedRow)`
          with recursive ${endpoints}, probes as (
            update webhook_health h set probe_until = ${lease}
            from (
              select e.id from endpoints e
              where e.is_probe_due and exists (select from deliveries p where p.webhook_id = e.id and ${isFree})
              limit ${limit}
            ) e
            where h.webhook_id = e.id and h.retry_at <= now() and (h.probe_until is null or h.probe_until <= now())
            returning h.webhook_id
          ), due as (
            select d.id, d.is_due,
              not e.is_closed or e.leases + count(*) over (partition by e.id) >= ${maxLeasesPerWebhook} as is_crowded
            from endpoints e
            cross join lateral (
              select p.id, p.due_at, p.due_at <= now() as is_due from deliveries p
              where p.webhook_id = e.id and ${isFree}
                and p.due_at <= case when e.is_closed then now() else 'infinity' end
              order by p.due_at, p.sequence
              limit case
                when e.is_closed then greatest(0, ${maxLeasesPerWebhook}::bigint - e.leases)
                when e.id in (select webhook_id from probes) then 1
                else 0
              end
              for update skip locked
            ) d
            order by e.is_closed, d.due_at, d.id
            limit ${limit}
          )
          update deliveries d set lease_until = ${lease}
          from due, webhooks w, events e
          where d.id = due.id and w.id = d.webhook_id and e.id = d.event_id
          returning d.id as delivery_id, d.attempts, d.schedule_offset, due.is_due,
            d.lane is not null as is_laned, due.is_crowded, ${targetColumns},
            e.id as event_id, e.name, e.sequence, e.at, e.data, e.request_id, e.traceparent
        `);
        const sorted = rows.toSorted((a, b) => a.delivery_id - b.delivery_id);
        const targets = await openTargets(connection, vault, sorted);
        return sorted.flatMap((row, index) => {
          const webhook = targets[index];
          if (webhook !== null && webhook !== undefined) return [toClaimed(row, webhook)];
          // Its deliveries wait; those of others go on.
          log.error({ webhook: row.id }, 'the secret of a webhook does not open');
          return [];
        });
      }),
    settle: (settlement) => settling.submit(settlement),
    nextDueInMs: () =>
      database.run(async (connection) => {
        const { wait } = await connection.one(sql.type(z.object({ wait: z.number().nullable() }))`
          with recursive ${endpoints}
          select extract(epoch from min(f.free_at) - now())::float8 * 1000 as wait
          from endpoints e
          left join lateral (
            select p.due_at from deliveries p where p.webhook_id = e.id and ${isFree}
            order by p.due_at, p.sequence limit 1
          ) d on true
          cross join lateral (
            select min(l.lease_until) as lapses_at from deliveries l where l.webhook_id = e.id and ${isLeased}
          ) l
          cross join lateral (
            select case
              when d.due_at is null or (e.is_closed and e.leases >= ${maxLeasesPerWebhook}) then l.lapses_at
              when e.is_closed then least(d.due_at, l.lapses_at)
              else greatest(e.retry_at, e.probe_until)
            end as free_at
          ) f
        `);
        return wait === null ? null : Math.max(0, Math.ceil(wait));
      }),
    onLeased: (taker) => desk.add(taker),
    onNew: (callback) => listener.add('warden_deliveries', () => callback()),
  };
}

const isLeased = sql.fragment`(l.status = 'pending' and l.lease_until > now())`;

/** Of a delivery `p`: nobody has it, and it is the first of its lane. */
const isFree = sql.fragment`(
  p.status = 'pending' and not p.blocked and (p.lease_until is null or p.lease_until <= now())
  and (p.lane is null or not exists (
    select from deliveries h
    where h.webhook_id = p.webhook_id and h.lane = p.lane and h.status = 'pending' and h.sequence < p.sequence
  ))
)`;

/** Webhooks that something waits for: found by leaping through an index, so that those without cost nothing. */
const endpoints = sql.fragment`
  waiting as (
    (select webhook_id from deliveries where status = 'pending' and not blocked order by webhook_id limit 1)
    union all
    select (
      select n.webhook_id from deliveries n
      where n.status = 'pending' and not n.blocked and n.webhook_id > v.webhook_id order by n.webhook_id limit 1
    ) from waiting v where v.webhook_id is not null
  ), endpoints as materialized (
    select w.id, h.retry_at, h.probe_until, h.retry_at is null as is_closed,
      h.retry_at <= now() and (h.probe_until is null or h.probe_until <= now()) as is_probe_due,
      (select count(*) from deliveries l where l.webhook_id = w.id and ${isLeased}) as leases
    from waiting v join webhooks w on w.id = v.webhook_id join webhook_health h on h.webhook_id = w.id
    where w.enabled
  )
`;

/** The columns of a DeliveryTarget that is still sealed, of the table webhooks under the name `w`. */
export const targetColumns = sql.fragment`
  w.id, w.session_id as session, w.url, w.sealed_secret as secret, w.allow_private as "allowPrivate",
  case when w.previous_secret_until > now() then w.sealed_previous_secret end as "previousSecret"
`;

export const targetRow = z.object({
  id: z.string(),
  session: sessionIdColumn,
  url: z.string(),
  secret: bytesColumn,
  previousSecret: bytesColumn.nullable(),
  allowPrivate: z.boolean(),
});

/** Targets with their secrets, in the order given; null where one does not open. */
export async function openTargets(
  connection: CommonQueryMethods,
  vault: Vault,
  rows: readonly z.output<typeof targetRow>[],
): Promise<readonly (DeliveryTarget | null)[]> {
  const recordOf = (row: z.output<typeof targetRow>, sealed: Uint8Array) => ({
    place: webhookSecretPlace(row.session, row.id),
    sealed,
  });
  const [secrets, previous] = [
    await vault.openEach(
      connection,
      rows.map((row) => recordOf(row, row.secret)),
    ),
    await vault.openEach(
      connection,
      rows.map((row) => recordOf(row, row.previousSecret ?? row.secret)),
    ),
  ];
  return rows.map(({ id, session, url, allowPrivate, previousSecret }, index) => {
    const [secret = null, before = null] = [secrets[index], previous[index]];
    if (secret === null || before === null) return null;
    const both = { secret: secret.toString(), previousSecret: previousSecret === null ? null : before.toString() };
    return { id, session, url, allowPrivate, ...both };
  });
}

const claimedRow = targetRow.extend({
  delivery_id: z.number(),
  attempts: z.number(),
  schedule_offset: z.number(),
  is_due: z.boolean(),
  is_laned: z.boolean(),
  is_crowded: z.boolean(),
  event_id: z.string(),
  name: z.string(),
  sequence: z.number(),
  at: z.number(),
  data: z.unknown(),
  request_id: z.string().nullable(),
  traceparent: z.string().nullable(),
});

function toClaimed(row: z.output<typeof claimedRow>, webhook: DeliveryTarget): ClaimedDelivery {
  const { delivery_id: deliveryId, schedule_offset: scheduleOffset, is_due: isDue, is_laned: isLaned, ...rest } = row;
  const { attempts, event_id: eventId, name, sequence, at, data, request_id: requestId, traceparent } = rest;
  return {
    id: String(deliveryId),
    webhook,
    attempts,
    scheduleOffset,
    isDue,
    isLaned,
    isCrowded: rest.is_crowded,
    event: { id: eventId, name, session: webhook.session, sequence, at, data },
    origin: { requestId, traceparent },
  };
}
