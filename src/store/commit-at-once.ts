/**
 * Carries out a planned batch in one statement, which is its own transaction: one way to the database and back, where the
 * same batch step by step takes a dozen. It does everything or, when an epoch or a webhook is not what the plan says,
 * nothing. A part that a batch does not need is not in its statement.
 */
import { sql, type CommonQueryMethods, type FragmentSqlToken as SqlFragment } from 'slonik';
import { z } from 'zod';
import type { CommitPlan, PlannedEvent } from './commit-plan.ts';
import { hookVersion } from './hook-book.ts';
import { maxLeasesPerWebhook } from './outbox.ts';
import type { ClaimedDelivery, LeaseTaker } from './webhook-records.ts';
import { columnsOf, columnTypes } from './message-writes.ts';
import { rank } from './message-status.ts';
import { bytesOf, textOf, timestampOf } from './values.ts';

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
  readonly taker: Pick<LeaseTaker, 'leaseMs' | 'places'> | null;
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

type Parts = readonly SqlFragment[];

/** One row when the plan holds; whatever is written is written for each row of it. Takes the rows of the sessions first. */
function guard({ owners, events, hooks, messages }: CommitPlan): Parts {
  const owned = sql.fragment`
    owned as materialized (
      select id, epoch from sessions where id = any (${sql.array([...owners.keys()], 'text')})
      order by id for no key update
    )
  `;
  const conditions = [
    sql.fragment`${owners.size} = (
      select count(*) from owned join ${sql.unnest([...owners], ['text', 'int8'])} as e (id, epoch) using (id, epoch)
    )`,
  ];
  const sessions = [...new Set(events.map(({ session }) => session))];
  const asked =
    sessions.length === 0
      ? []
      : [
          // The lock keeps them from being deleted before their deliveries are committed.
          sql.fragment`
            asked as materialized (
              select id, ${hookVersion} as version from webhooks
              where session_id = any (${sql.array(sessions, 'text')}) and enabled
              order by id for key share
            )
          `,
        ];
  if (sessions.length > 0) {
    const versions = sql.unnest(
      hooks.map(({ id, version }) => [id, version]),
      ['text', 'text'],
    );
    conditions.push(
      sql.fragment`${hooks.length} = (select count(*) from asked)`,
      sql.fragment`${hooks.length} = (select count(*) from asked join ${versions} as v (id, version) using (id, version))`,
    );
  }
  if (messages.length > 0) {
    const ids = sql.unnest(
      messages.map(({ session, record }) => [session, textOf(record.id)]),
      ['text', 'text'],
    );
    conditions.push(sql.fragment`not exists (
      select from pending_changes p join ${ids} as m (session_id, id) on p.session_id = m.session_id and p.target_id = m.id
    )`);
  }
  return [
    owned,
    ...asked,
    sql.fragment`guard as materialized (select true as holds where ${sql.join(conditions, sql.fragment` and `)})`,
  ];
}

function keyParts({ keys, credentials }: CommitPlan): Parts {
  const kept = keys.flatMap(({ session, type, id, value }) =>
    value === null ? [] : [[session, type, id, bytesOf(value)]],
  );
  const deleted = keys.flatMap(({ session, type, id, value }) => (value === null ? [[session, type, id]] : []));
  return [
    ...(kept.length === 0
      ? []
      : [
          sql.fragment`
            kept as (
              insert into signal_keys (session_id, type, id, value)
              select k.* from ${sql.unnest(kept, ['text', 'text', 'text', 'bytea'])} as k (session_id, type, id, value), guard
              on conflict (session_id, type, id) do update set value = excluded.value
            )
          `,
        ]),
    ...(deleted.length === 0
      ? []
      : [
          sql.fragment`
            deleted as (
              delete from signal_keys s
              using ${sql.unnest(deleted, ['text', 'text', 'text'])} as k (session_id, type, id), guard
              where s.session_id = k.session_id and s.type = k.type and s.id = k.id
            )
          `,
        ]),
    ...(credentials.length === 0
      ? []
      : [
          sql.fragment`
            paired as (
              insert into credentials (session_id, value)
              select c.* from ${sql.unnest(
                credentials.map(({ session, value }) => [session, bytesOf(value)]),
                ['text', 'bytea'],
              )} as c (session_id, value), guard
              on conflict (session_id) do update set value = excluded.value, updated_at = now()
            )
          `,
        ]),
  ];
}

const messageColumns = sql.fragment`session_id, id, chat, sender, from_me, type, body, proto, key, at, status, media`;
const messageValues = sql.fragment`
  session_id, id, chat, sender, from_me, type, body, proto, key, to_timestamp(at), status, media::json
`;

function messageParts({ sending, messages, told }: CommitPlan): Parts {
  return [
    ...(sending.length === 0
      ? []
      : [
          sql.fragment`
            filled as (
              insert into messages as m (${messageColumns})
              select ${messageValues}
              from ${sql.unnest(
                sending.map((each) => columnsOf(each, 'accepted')),
                columnTypes,
              )} as r (${messageColumns}), guard
              on conflict (session_id, id) where from_me do update set
                chat = excluded.chat, sender = excluded.sender, type = excluded.type, body = excluded.body,
                proto = excluded.proto, key = excluded.key, media = excluded.media
              where m.status <> 'failed'
              returning session_id, id
            )
          `,
        ]),
    ...(messages.length === 0
      ? []
      : [
          sql.fragment`
            inserted as (
              insert into messages (${messageColumns})
              select ${messageValues}
              from ${sql.unnest(
                messages.map((each) => columnsOf(each, each.record.fromMe ? 'sent' : 'delivered')),
                columnTypes,
              )} as r (${messageColumns}), guard
              on conflict do nothing
              returning session_id, id, chat, sender, from_me
            )
          `,
        ]),
    ...(told.length === 0
      ? []
      : [
          sql.fragment`
            marked as (
              insert into told_once (session_id, id)
              select t.* from ${sql.unnest(
                told.map(({ session, id }) => [session, id]),
                ['text', 'text'],
              )} as t (session_id, id), guard
              on conflict do nothing
              returning session_id, id
            )
          `,
        ]),
  ];
}

const statuses = Object.keys(rank);
/** Null for one that has failed. */
const rankOf = (status: SqlFragment) => sql.fragment`array_position(${sql.array(statuses, 'text')}, ${status}) - 1`;

/** The lock has the row as it is, whatever was committed since the statement began. */
function statusParts({ moves }: CommitPlan): Parts {
  if (moves.length === 0) return [];
  const rows = moves.map(({ session, id, status, reachedAt: { sent, delivered, read, played } }) => [
    session,
    id,
    status,
    ...[sent, delivered, read, played].map((at) => timestampOf(at)),
  ]);
  const reached = (column: SqlFragment, at: SqlFragment, of: 'sent' | 'delivered' | 'read' | 'played') => sql.fragment`
    ${column} = case when b.rank < ${rank[of]} then coalesce(${column}, to_timestamp(${at})) else ${column} end
  `;
  return [
    sql.fragment`
      moves as materialized (
        select u.*, ${rankOf(sql.fragment`u.status`)} as rank
        from ${sql.unnest(rows, ['text', 'text', 'text', 'float8', 'float8', 'float8', 'float8'])}
          as u (session_id, id, status, sent, delivered, read, played), guard
      ), before as materialized (
        select m.ordinal, m.session_id, m.id, ${rankOf(sql.fragment`m.status`)} as rank
        from moves u join messages m on m.session_id = u.session_id and m.id = u.id and m.from_me
        for no key update of m
      ), moved as (
        update messages set
          status = u.status,
          ${reached(sql.fragment`sent_at`, sql.fragment`u.sent`, 'sent')},
          ${reached(sql.fragment`delivered_at`, sql.fragment`u.delivered`, 'delivered')},
          ${reached(sql.fragment`read_at`, sql.fragment`u.read`, 'read')},
          ${reached(sql.fragment`played_at`, sql.fragment`u.played`, 'played')}
        from before b join moves u on u.session_id = b.session_id and u.id = b.id
        where messages.ordinal = b.ordinal and b.rank < u.rank
      )
    `,
  ];
}

function eventParts({ events, messages, told, moves }: CommitPlan, eventIds: readonly string[]): Parts {
  if (events.length === 0) return [];
  const steps = events.flatMap(({ session, steps: each }, index) =>
    each.map((step) => [index, session, step.id, step.rank]),
  );
  const isTold = sql.join(
    [
      sql.fragment`w.condition = 'always'`,
      ...(messages.length === 0
        ? []
        : [
            sql.fragment`w.condition = 'message' and exists (
              select from inserted i
              where i.session_id = w.session_id and i.id = w.about and i.from_me = w.from_me
                and (i.from_me or (i.chat = w.chat and i.sender = w.sender))
            )`,
          ]),
      ...(told.length === 0
        ? []
        : [
            sql.fragment`w.condition = 'once' and exists (
              select from marked m where m.session_id = w.session_id and m.id = w.about
            )`,
          ]),
      ...(moves.length === 0
        ? []
        : [
            sql.fragment`w.condition in ('status', 'status_or_unknown') and exists (
              select from stepped s where s.number = w.number and s.before < s.rank
            )`,
            sql.fragment`w.condition = 'status_or_unknown' and not exists (
              select from stepped s where s.number = w.number
            )`,
          ]),
    ],
    sql.fragment` or `,
  );
  return [
    ...(moves.length === 0
      ? []
      : [
          sql.fragment`
            stepped as materialized (
              select s.number, s.rank, b.rank as before
              from ${sql.unnest(steps, ['int4', 'text', 'text', 'int4'])} as s (number, session_id, id, rank)
              join before b on b.session_id = s.session_id and b.id = s.id
            )
          `,
        ]),
    sql.fragment`
      told as materialized (
        select w.*, row_number() over (order by w.number) as place,
          row_number() over (partition by w.session_id order by w.number) as step
        from ${sql.unnest(
          events.map((event, index) => eventRow(event, index, eventIds[index] ?? '')),
          [...eventTypes],
        )}
          as w (number, id, session_id, name, at, data, condition, about, from_me, chat, sender), guard
        where ${isTold}
      ), raised as (
        update sessions s set event_sequence = s.event_sequence + c.count
        from (select session_id, count(*) as count from told group by session_id) c
        where s.id = c.session_id
        returning s.id, s.event_sequence - c.count as base
      ), stream as (
        update event_stream set position = position + (select count(*) from told)
        where exists (select from told)
        returning position - (select count(*) from told) as base
      ), written as (
        insert into events (id, session_id, sequence, name, at, data, position)
        select t.id, t.session_id, r.base + t.step, t.name, to_timestamp(t.at), t.data, s.base + t.place
        from told t join raised r on r.id = t.session_id cross join stream s
        order by t.number
        returning id, sequence
      )
    `,
  ];
}

/**
 * A webhook has room when a claim would give its delivery out at once: its receiver does well, nothing that is due waits
 * for it, and not all of its places are taken.
 */
function deliveryParts({ events }: CommitPlan, taker: AtOnceOptions['taker']): Parts {
  const rows = events.flatMap(({ webhooks }, index) => webhooks.map((webhook) => [index, webhook]));
  if (rows.length === 0) return [];
  const webhooks = [...new Set(events.flatMap((event) => event.webhooks))];
  return [
    sql.fragment`
      roomy as materialized (
        select h.webhook_id, ${maxLeasesPerWebhook}::bigint - (
          select count(*) from deliveries l
          where l.webhook_id = h.webhook_id and l.status = 'pending' and l.lease_until > now()
        ) as places
        from webhook_health h
        where h.webhook_id = any (${sql.array(webhooks, 'text')}) and h.retry_at is null and not exists (
          select from deliveries p
          where p.webhook_id = h.webhook_id and p.status = 'pending' and not p.blocked and p.due_at <= now()
            and (p.lease_until is null or p.lease_until <= now())
        )
      ), delivered as (
        insert into deliveries (webhook_id, event_id, sequence, lease_until)
        select d.webhook_id, d.event_id, d.sequence, case
          when d.place <= r.places and d.turn <= ${taker?.places() ?? 0}
          then clock_timestamp() + ${taker?.leaseMs ?? 0} * interval '1 millisecond'
        end
        from (
          select d.webhook_id, e.id as event_id, e.sequence, row_number() over (order by d.ordinal) as turn,
            row_number() over (partition by d.webhook_id order by d.ordinal) as place
          from ${sql.unnest(rows, ['int4', 'text'])} with ordinality as d (number, webhook_id, ordinal)
          join told t on t.number = d.number join written e on e.id = t.id
        ) d
        left join roomy r on r.webhook_id = d.webhook_id
        order by d.turn
        on conflict (webhook_id, event_id) do nothing
        returning id, webhook_id, event_id, sequence, lease_until
      )
    `,
  ];
}

const eventTypes = ['int4', 'text', 'text', 'text', 'float8', 'json', 'text', 'text', 'bool', 'text', 'text'] as const;

function eventRow({ session, event: { name, data }, at, condition }: PlannedEvent, number: number, id: string) {
  const head = [number, id, session, name, timestampOf(at), textOf(JSON.stringify(data))];
  switch (condition.tag) {
    case 'message': {
      const { record } = condition;
      return [...head, 'message', textOf(record.id), record.fromMe, textOf(record.chat), textOf(record.sender)];
    }
    case 'once':
      return [...head, 'once', condition.id, null, null, null];
    case 'status':
      return [...head, condition.isToldOfUnknown ? 'status_or_unknown' : 'status', null, null, null, null];
    default:
      return [...head, 'always', null, null, null, null];
  }
}
