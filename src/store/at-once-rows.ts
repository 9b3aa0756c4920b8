/** The parts of a commit in one statement that write rows whatever they find: its guard, keys, and messages. */
import { sql, type FragmentSqlToken as SqlFragment } from 'slonik';
import type { CommitPlan } from './commit-plan.ts';
import { hookVersion } from './hook-book.ts';
import { columnsOf, columnTypes } from './message-writes.ts';
import { credentialsPlace, signalKeyPlace } from './sealed-places.ts';
import { textOf } from './values.ts';
import type { Sealer } from './vault.ts';

/** Common table expressions, in the order in which they refer to each other. */
export type Parts = readonly SqlFragment[];

/**
 * One row when the plan holds; whatever is written is written for each row of it. Takes the rows of the sessions first.
 * `sealedWith` has the number of the key of each session for which something is encrypted.
 */
export function guard({ owners, events, hooks, messages }: CommitPlan, sealedWith: ReadonlyMap<string, number>): Parts {
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
  if (sealedWith.size > 0) {
    conditions.push(sql.fragment`not exists (
      select from ${sql.unnest([...sealedWith], ['text', 'int8'])} as k (session_id, id)
      where k.id is distinct from (select max(d.id) from data_keys d where d.session_id = k.session_id)
    )`);
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

export function keyParts({ keys, credentials }: CommitPlan, sealer: Sealer): Parts {
  const kept = keys.flatMap(({ session, type, id, value }) =>
    value === null ? [] : [[session, type, id, sealer.seal(signalKeyPlace(session, type, id), value)]],
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
                credentials.map(({ session, value }) => [session, sealer.seal(credentialsPlace(session), value)]),
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

export function messageParts({ sending, messages, told }: CommitPlan): Parts {
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
