/**
 * Lanes: the deliveries of one chat to an ordered webhook. All but the first are blocked. Who adds to lanes and who takes
 * from them lock the webhook's row in webhook_health against each other, so that what is added sees whether it is the
 * first, and none is left blocked with nothing before it.
 */
import { sql, type CommonQueryMethods } from 'slonik';
import { noRow } from './pool.ts';

export interface Lane {
  readonly webhook: string;
  readonly lane: string;
}

/** `share` is for adding, `exclusive` for taking away and for adding before others. */
export async function lockLanes(
  transaction: CommonQueryMethods,
  webhooks: readonly string[],
  mode: 'share' | 'exclusive',
): Promise<void> {
  await transaction.query(sql.type(noRow)`
    select from webhook_health where webhook_id = any (${sql.array([...new Set(webhooks)], 'text')})
    order by webhook_id ${mode === 'share' ? sql.fragment`for share` : sql.fragment`for no key update`}
  `);
}

/** Lets the first delivery of each lane be sent; the caller holds the lock for itself alone. */
export async function freeLanes(transaction: CommonQueryMethods, lanes: readonly Lane[]): Promise<void> {
  if (lanes.length === 0) return;
  await transaction.query(sql.type(noRow)`
    update deliveries d set blocked = false
    from (
      select n.id from ${sql.unnest(
        lanes.map(({ webhook, lane }) => [webhook, lane]),
        ['text', 'text'],
      )} as l (webhook_id, lane)
      cross join lateral (
        select p.id from deliveries p
        where p.webhook_id = l.webhook_id and p.lane = l.lane and p.status = 'pending'
        order by p.sequence limit 1
      ) n
    ) f
    where d.id = f.id and d.blocked
  `);
}
