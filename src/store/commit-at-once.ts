/**
 * Carries out a planned batch in one statement, which is its own transaction: one way to the database and back, where the
 * same batch step by step takes a dozen. It does everything or, when an epoch or a webhook is not what the plan says,
 * nothing. A part that a batch does not need is not in its statement.
 */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { deliveryParts, eventParts, statusParts, type LeaseRoom } from './at-once-events.ts';
import { guard, keyParts, messageParts } from './at-once-rows.ts';
import type { CommitPlan } from './commit-plan.ts';
import { textOf } from './values.ts';
import type { ClaimedDelivery } from './webhook-records.ts';

/** What a plan that was carried out tells. */
export interface AtOnceOutcome {
  /** Whether a message that was about to be sent has failed already. */
  readonly hasFailed: (session: string, id: string) => boolean;
  /** Deliveries that were created under lease. */
  readonly leased: readonly ClaimedDelivery[];
}

interface AtOnceOptions {
  readonly newEventId: () => string;
  /** Whoever sends deliveries at once; null when nobody has room. */
  readonly taker: LeaseRoom | null;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Null when nothing was done: another has a session now, a webhook has changed, or edits wait for a message. */
export async function commitAtOnce(
  connection: CommonQueryMethods,
  plan: CommitPlan,
  { newEventId, taker, now }: AtOnceOptions,
): Promise<AtOnceOutcome | null> {
  const eventIds = plan.events.map(() => newEventId());
  const parts = [
    ...guard(plan),
    ...keyParts(plan),
    ...messageParts(plan),
    ...statusParts(plan),
    ...eventParts(plan, eventIds),
    ...deliveryParts(plan, taker),
  ];
  const answers = [sql.fragment`exists (select from guard) as done`];
  if (plan.sending.length > 0) {
    answers.push(sql.fragment`(select json_agg(json_build_array(session_id, id)) from filled) as sendable`);
  }
  if (plan.events.some(({ webhooks }) => webhooks.length > 0)) answers.push(leasedAnswer, waitingAnswer);
  const { done, sendable, leased } = await connection.one(sql.type(outcomeRow)`
    /* commit */ with ${sql.join(parts, sql.fragment`, `)} select ${sql.join(answers, sql.fragment`, `)}
  `);
  if (!done) return null;
  const sent = new Set((sendable ?? []).map((pair) => JSON.stringify(pair)));
  return {
    hasFailed: (session, id) => !sent.has(JSON.stringify([session, textOf(id)])),
    leased: (leased ?? []).flatMap((each) => claimedOf(plan, { eventIds, now }, each)),
  };
}

const outcomeRow = z.object({
  done: z.boolean(),
  sendable: z.array(z.tuple([z.string(), z.string()])).nullish(),
  leased: z.array(z.tuple([z.number(), z.string(), z.string(), z.number(), z.boolean()])).nullish(),
});

/** Those that were created under lease, and whether they have the last places of their webhook. */
const leasedAnswer = sql.fragment`(
  select json_agg(json_build_array(d.id, d.webhook_id, d.event_id, d.sequence, d.taken >= r.places))
  from (
    select *, count(*) over (partition by webhook_id) as taken from delivered where lease_until is not null
  ) d join roomy r on r.webhook_id = d.webhook_id
) as leased`;

/** Wakes the dispatchers of all gateways for the others. */
const waitingAnswer = sql.fragment`(
  select pg_notify('warden_deliveries', '')::text where exists (select from delivered where lease_until is null)
) as waiting`;

type Leased = NonNullable<z.output<typeof outcomeRow>['leased']>[number];

function claimedOf(
  { events, hooks }: CommitPlan,
  { eventIds, now }: { readonly eventIds: readonly string[]; readonly now: number },
  [id, webhookId, eventId, sequence, isCrowded]: Leased,
): readonly ClaimedDelivery[] {
  const planned = events[eventIds.indexOf(eventId)];
  const hook = hooks.find((each) => each.id === webhookId);
  if (planned === undefined || hook === undefined) return [];
  const { target, previousSecret, previousSecretUntil } = hook;
  const { name, data } = planned.event;
  const webhook = { ...target, previousSecret: (previousSecretUntil ?? 0) > now ? previousSecret : null };
  const event = { id: eventId, name, session: target.session, sequence, at: planned.at, data };
  return [{ id: String(id), webhook, attempts: 0, scheduleOffset: 0, isDue: true, isLaned: false, isCrowded, event }];
}
