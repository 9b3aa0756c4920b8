/**
 * Carries out a planned batch in one statement, which is its own transaction: one way to the database and back, where the
 * same batch step by step takes a dozen. It does everything or, when an epoch or a webhook is not what the plan says,
 * nothing. A part that a batch does not need is not in its statement.
 */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { SessionEvent } from '../contract/events.ts';
import { deliveryParts, eventParts, statusParts, type LeaseRoom } from './at-once-events.ts';
import { guard, keyParts, messageParts } from './at-once-rows.ts';
import type { CommitPlan } from './commit-plan.ts';
import { originColumns } from './event-log.ts';
import type { Sealing } from './key-book.ts';
import { textOf } from './values.ts';
import type { ClaimedDelivery } from './webhook-records.ts';

/** What a plan that was carried out tells. */
export interface AtOnceOutcome {
  /** Whether a message that was about to be sent has failed already. */
  readonly hasFailed: (session: string, id: string) => boolean;
  /** The events that were written, in order. */
  readonly told: readonly SessionEvent[];
  /** Deliveries that were created under lease. */
  readonly leased: readonly ClaimedDelivery[];
}

interface AtOnceOptions {
  readonly newEventId: () => string;
  /** Of all sessions whose keys or credentials the plan writes. */
  readonly sealing: Sealing;
  /** Whoever sends deliveries at once; null when nobody has room. */
  readonly taker: LeaseRoom | null;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Null when nothing was done: another has a session now, a key or webhook is another, or edits wait for a message. */
export async function commitAtOnce(
  connection: CommonQueryMethods,
  plan: CommitPlan,
  { newEventId, sealing, taker, now }: AtOnceOptions,
): Promise<AtOnceOutcome | null> {
  const eventIds = plan.events.map(() => newEventId());
  const parts = [
    ...guard(plan, sealing.keys),
    ...keyParts(plan, sealing.sealer),
    ...messageParts(plan),
    ...statusParts(plan),
    ...eventParts(plan, eventIds),
    ...deliveryParts(plan, taker),
  ];
  const answers = [sql.fragment`exists (select from guard) as done`];
  if (plan.sending.length > 0) {
    answers.push(sql.fragment`(select json_agg(json_build_array(session_id, id)) from filled) as sendable`);
  }
  if (plan.events.length > 0) answers.push(sql.fragment`(select json_agg(number order by number) from told) as told`);
  if (plan.events.some(({ webhooks }) => webhooks.length > 0)) answers.push(leasedAnswer, waitingAnswer);
  const { done, sendable, told, leased } = await connection.one(sql.type(outcomeRow)`
    /* commit */ with ${sql.join(parts, sql.fragment`, `)} select ${sql.join(answers, sql.fragment`, `)}
  `);
  if (!done) return null;
  const sent = new Set((sendable ?? []).map((pair) => JSON.stringify(pair)));
  return {
    hasFailed: (session, id) => !sent.has(JSON.stringify([session, textOf(id)])),
    told: (told ?? []).flatMap((number) => plan.events[number]?.event ?? []),
    leased: (leased ?? []).flatMap((each) => claimedOf(plan, { eventIds, now }, each)),
  };
}

const outcomeRow = z.object({
  done: z.boolean(),
  sendable: z.array(z.tuple([z.string(), z.string()])).nullish(),
  told: z.array(z.number()).nullish(),
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
  const target = hook?.target ?? null;
  if (planned === undefined || hook === undefined || target === null) return [];
  const { name, data } = planned.event;
  const [requestId, traceparent] = originColumns(planned.origin);
  const webhook = { ...target, previousSecret: (hook.previousSecretUntil ?? 0) > now ? target.previousSecret : null };
  const event = { id: eventId, name, session: target.session, sequence, at: planned.at, data };
  const origin = { requestId, traceparent };
  const fresh = { attempts: 0, scheduleOffset: 0, isDue: true, isLaned: false };
  return [{ id: String(id), webhook, ...fresh, isCrowded, event, origin }];
}
