/** The parts of a commit in one statement that depend on what it finds: statuses, events, and their deliveries. */
import { sql, type FragmentSqlToken as SqlFragment } from 'slonik';
import type { Parts } from './at-once-rows.ts';
import type { CommitPlan, PlannedEvent } from './commit-plan.ts';
import { originColumns } from './event-log.ts';
import type { LeaseTaker } from './lease-desk.ts';
import { rank } from './message-status.ts';
import { maxLeasesPerWebhook } from './outbox.ts';
import { textOf, timestampOf } from './values.ts';

/** What whoever takes leases has to offer. */
export type LeaseRoom = Pick<LeaseTaker, 'leaseMs' | 'places'>;

const statuses = Object.keys(rank);
/** Null for one that has failed. */
const rankOf = (status: SqlFragment) => sql.fragment`array_position(${sql.array(statuses, 'text')}, ${status}) - 1`;

/** The lock has the row as it is, whatever was committed since the statement began. */
export function statusParts({ moves }: CommitPlan): Parts {
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

export function eventParts({ events, messages, told, moves }: CommitPlan, eventIds: readonly string[]): Parts {
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
          as w (
            number, id, session_id, name, at, data, request_id, traceparent, condition, about, from_me, chat, sender
          ), guard
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
        insert into events (id, session_id, sequence, name, at, data, position, request_id, traceparent)
        select t.id, t.session_id, r.base + t.step, t.name, to_timestamp(t.at), t.data, s.base + t.place,
          t.request_id, t.traceparent
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
export function deliveryParts({ events, hooks }: CommitPlan, taker: LeaseRoom | null): Parts {
  const rows = events.flatMap(({ webhooks }, index) => webhooks.map((webhook) => [index, webhook]));
  if (rows.length === 0) return [];
  const wanting = new Set(events.flatMap((event) => event.webhooks));
  // Without its secret nothing can be sent: whoever claims the delivery says so.
  const webhooks = hooks.filter(({ id, target }) => wanting.has(id) && target !== null).map(({ id }) => id);
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

const headTypes = ['int4', 'text', 'text', 'text', 'float8', 'json', 'text', 'text'] as const;
const eventTypes = [...headTypes, 'text', 'text', 'bool', 'text', 'text'] as const;

function eventRow({ session, event: { name, data }, at, origin, condition }: PlannedEvent, number: number, id: string) {
  const head = [number, id, session, name, timestampOf(at), textOf(JSON.stringify(data)), ...originColumns(origin)];
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
