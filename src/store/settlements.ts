/** What becomes of the outcomes of attempts: deliveries, their log, their lanes, and how receivers do. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { assertNever } from '../contract/assert-never.ts';
import type { Outcome } from './commit-batch.ts';
import { freeLanes } from './lanes.ts';
import { noRow, type Database } from './pool.ts';
import { textOf, timestampOf } from './values.ts';
import { healthColumns, healthRow } from './webhook-columns.ts';
import type { DeliveryOutcome, EndpointHealth, Settlement } from './webhook-records.ts';

/** A delivery that is tried for days with every probe must not grow without end. */
const attemptsKept = 50;

/**
 * Writes down outcomes in the order given. The common case, deliveries that succeeded and stand in no lane, is a single
 * statement: what it means to a receiver that does well anyway can be missed without harm.
 */
export async function settleBatch(database: Database, settlements: readonly Settlement[]): Promise<readonly Outcome[]> {
  if (settlements.every(({ delivery, outcome }) => outcome.tag === 'delivered' && !delivery.isLaned)) {
    const settled = await database.run((connection) => settleDeliveries(connection, settlements, false));
    const news = [...settled.values()].filter(({ isNews }) => isNews).map(({ webhook }) => webhook);
    if (news.length > 0) {
      await database.transaction(async (transaction) => {
        const before = await lockHealth(transaction, [...new Set(news)]);
        await saveHealth(transaction, settlements, { before, settled });
      });
    }
    return settlements.map(() => null);
  }
  await database.transaction(async (transaction) => {
    const before = await lockHealth(transaction, [...new Set(settlements.map(webhookOf))]);
    const settled = await settleDeliveries(transaction, settlements);
    await freeLanes(
      transaction,
      [...settled.values()].flatMap(({ isFinal, lane, webhook }) =>
        isFinal && lane !== null ? [{ webhook, lane }] : [],
      ),
    );
    await forgetOldAttempts(transaction, settled);
    await saveHealth(transaction, settlements, { before, settled });
  });
  return settlements.map(() => null);
}

const webhookOf = ({ delivery }: Settlement): string => delivery.webhook.id;

type HealthNow = EndpointHealth & { readonly now: number };

async function lockHealth(
  transaction: CommonQueryMethods,
  webhooks: readonly string[],
): Promise<ReadonlyMap<string, HealthNow>> {
  const rows = await transaction.any(sql.type(healthRow.extend({ webhook: z.string() }))`
    select h.webhook_id as webhook, ${healthColumns} from webhook_health h
    where h.webhook_id = any (${sql.array(webhooks, 'text')})
    order by h.webhook_id for no key update
  `);
  return new Map(rows.map(({ webhook, ...health }) => [webhook, health]));
}

const settledRow = z.object({
  id: z.number(),
  webhook: z.string(),
  attempts: z.number(),
  lane: z.string().nullable(),
  isFinal: z.boolean(),
  /** Whether a success would change what is known of the receiver. */
  isNews: z.boolean(),
});
type Settled = ReadonlyMap<string, z.output<typeof settledRow>>;

/**
 * Moves deliveries on and logs the attempts. Leaves alone what is settled already and, unless it was delivered, what
 * somebody else has claimed since. What is not flushed is forgotten by a database that crashes in the next moment: its
 * deliveries are made once more then, as they are when a dispatcher dies.
 */
async function settleDeliveries(
  connection: CommonQueryMethods,
  settlements: readonly Settlement[],
  isFlushed = true,
): Promise<Settled> {
  const rows = settlements.flatMap(({ delivery, outcome }) => {
    if (!/^\d{1,15}$/.test(delivery.id)) return [];
    const { status, delayMs } = consequence(outcome);
    const error = outcome.tag === 'delivered' ? null : textOf(outcome.error);
    const { httpStatus, durationMs, excerpt } = outcome;
    const isProbe = outcome.tag === 'probed';
    const ended = [httpStatus, error, Math.round(durationMs), textOf(excerpt)];
    return [[Number(delivery.id), delivery.attempts, status, delayMs, isProbe, ...ended]];
  });
  const settled = await connection.any(sql.type(settledRow)`
    with durability as materialized (
      select set_config(
        'synchronous_commit', case when ${isFlushed}::bool then current_setting('synchronous_commit') else 'off' end, true
      )
    ), s as (
      select s.* from ${sql.unnest(rows, ['int8', 'int4', 'text', 'float8', 'bool', 'int4', 'text', 'int4', 'text'])}
        as s (id, attempts, status, delay_ms, is_probe, http_status, error, duration_ms, excerpt), durability
    ), settled as (
      update deliveries d set
        status = s.status,
        attempts = d.attempts + 1,
        schedule_offset = d.schedule_offset + s.is_probe::integer,
        due_at = coalesce(now() + s.delay_ms * interval '1 millisecond', d.due_at),
        lease_until = null,
        last_status = s.http_status,
        last_error = s.error,
        last_duration_ms = s.duration_ms,
        settled_at = case when s.status <> 'pending' then now() end
      from s
      where d.id = s.id and d.status = 'pending' and (d.attempts = s.attempts or s.status = 'delivered')
      returning d.id, d.webhook_id, d.attempts, d.lane, d.status
    ), logged as (
      insert into attempts (delivery_id, number, at, duration_ms, http_status, error, excerpt)
      select d.id, d.attempts, now() - s.duration_ms * interval '1 millisecond', s.duration_ms, s.http_status, s.error,
        s.excerpt
      from settled d join s on s.id = d.id
      on conflict do nothing
    )
    select d.id, d.webhook_id as webhook, d.attempts, d.lane, d.status <> 'pending' as "isFinal",
      h.consecutive_failures > 0 or h.retry_at is not null
        or coalesce(h.last_success_at < now() - interval '1 second', true) as "isNews"
    from settled d join webhook_health h on h.webhook_id = d.webhook_id
  `);
  return new Map(settled.map((row) => [String(row.id), row]));
}

/** The new status, and the milliseconds until the delivery is due; null leaves that as it is. */
function consequence(outcome: DeliveryOutcome): { readonly status: string; readonly delayMs: number | null } {
  switch (outcome.tag) {
    case 'delivered':
    case 'dead':
      return { status: outcome.tag, delayMs: null };
    case 'retry':
      return { status: 'pending', delayMs: outcome.delayMs };
    case 'probed':
      return { status: 'pending', delayMs: null };
    default:
      return assertNever(outcome);
  }
}

async function forgetOldAttempts(transaction: CommonQueryMethods, settled: Settled): Promise<void> {
  const long = [...settled.values()].filter(({ attempts }) => attempts > attemptsKept);
  if (long.length === 0) return;
  await transaction.query(sql.type(noRow)`
    delete from attempts a
    using ${sql.unnest(
      long.map(({ id, attempts }) => [id, attempts - attemptsKept]),
      ['int8', 'int4'],
    )} as l (id, last)
    where a.delivery_id = l.id and a.number <= l.last
  `);
}

interface HealthChange {
  readonly before: ReadonlyMap<string, HealthNow>;
  readonly settled: Settled;
}

async function saveHealth(
  transaction: CommonQueryMethods,
  settlements: readonly Settlement[],
  { before, settled }: HealthChange,
): Promise<void> {
  const after = new Map<string, EndpointHealth>();
  for (const settlement of settlements) {
    const webhook = webhookOf(settlement);
    const known = before.get(webhook);
    if (known === undefined || !settled.has(settlement.delivery.id)) continue;
    after.set(webhook, settlement.judge(after.get(webhook) ?? known, known.now));
  }
  const changed = [...after].filter(([webhook, health]) => isWorthSaving(before.get(webhook), health));
  if (changed.length === 0) return;
  const rows = changed.map(([webhook, health]) => [
    webhook,
    health.consecutiveFailures,
    timestampOf(health.failingSince),
    health.failureDays,
    timestampOf(health.lastSuccessAt),
    timestampOf(health.lastFailureAt),
    textOf(health.lastError),
    health.pauseMs === null ? null : Math.round(health.pauseMs),
    timestampOf(health.retryAt),
    timestampOf(health.probeUntil),
  ]);
  await transaction.query(sql.type(noRow)`
    update webhook_health h set
      consecutive_failures = n.failures, failing_since = to_timestamp(n.failing_since), failure_days = n.failure_days,
      last_success_at = to_timestamp(n.last_success_at), last_failure_at = to_timestamp(n.last_failure_at),
      last_error = n.last_error, pause_ms = n.pause_ms, retry_at = to_timestamp(n.retry_at),
      probe_until = to_timestamp(n.probe_until)
    from ${sql.unnest(rows, ['text', 'int4', 'float8', 'int4', 'float8', 'float8', 'text', 'int8', 'float8', 'float8'])}
      as n (id, failures, failing_since, failure_days, last_success_at, last_failure_at, last_error, pause_ms, retry_at,
        probe_until)
    where h.webhook_id = n.id
  `);
  // A receiver that is back gets at once what was put off while it was away.
  const recovered = changed.filter(([id, { retryAt }]) => retryAt === null && before.get(id)?.retryAt !== null);
  if (recovered.length > 0) {
    await makeAllDue(
      transaction,
      recovered.map(([id]) => id),
    );
  }
}

const stateOfHealth = [
  'consecutiveFailures',
  'failingSince',
  'failureDays',
  'lastFailureAt',
  'lastError',
  'pauseMs',
  'retryAt',
  'probeUntil',
] as const satisfies readonly (keyof EndpointHealth)[];

/** The last success of a receiver that does well is kept to the second. */
function isWorthSaving(before: EndpointHealth | undefined, after: EndpointHealth): boolean {
  if (before === undefined) return false;
  if (stateOfHealth.some((key) => before[key] !== after[key])) return true;
  return (after.lastSuccessAt ?? 0) - (before.lastSuccessAt ?? 0) >= 1_000;
}

/** Brings forward all that waits for its next attempt at these webhooks. */
export async function makeAllDue(connection: CommonQueryMethods, webhooks: readonly string[]): Promise<void> {
  await connection.query(sql.type(noRow)`
    update deliveries set due_at = now()
    where webhook_id = any (${sql.array(webhooks, 'text')}) and status = 'pending' and not blocked
      and due_at > now() and lease_until is null
  `);
}
