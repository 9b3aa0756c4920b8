-- Where every event stands in the one order of all sessions. Whoever writes events takes this row for the rest of the
-- transaction, so that positions grow in the order of commits: who has seen a position has seen, or can see, all before it.
create table event_stream (
  only_one boolean primary key default true check (only_one),
  position bigint not null,
  -- Tells the positions of this database from those of another one.
  identity text not null default left(md5(random()::text || clock_timestamp()::text), 8)
);

alter table events add column position bigint;
-- Ids grow with a session's sequence.
update events e set position = o.position
from (select id, row_number() over (order by id) as position from events) o
where o.id = e.id;
alter table events alter column position set not null;
create unique index events_position on events (position);
insert into event_stream (position) select coalesce(max(position), 0) from events;

create function tell_of_events() returns trigger language plpgsql as $$
begin
  perform pg_notify('warden_events', '');
  return null;
end $$;

create trigger tell_of_events after insert on events for each statement execute function tell_of_events();

-- Up to where a session's events have been deleted while the session lives: who wants to go on from before that has missed
-- some. There is no foreign key: a deletion of the session and one of its old events would wait for each other.
create table pruned_events (
  session_id text primary key,
  position bigint not null
);

create function note_pruned_events() returns trigger language plpgsql as $$
begin
  insert into pruned_events (session_id, position)
  select session_id, max(position) from pruned
  where exists (select from sessions s where s.id = pruned.session_id)
  group by session_id order by session_id
  on conflict (session_id) do update set position = greatest(pruned_events.position, excluded.position);
  return null;
end $$;

create trigger note_pruned_events after delete on events referencing old table as pruned
for each statement execute function note_pruned_events();

-- What event streams tell of sessions although no event can stay: the events of a session go with it.
create function tell_of_session() returns trigger language plpgsql as $$
begin
  perform pg_notify(
    'warden_sessions',
    json_build_object('event', tg_argv[0], 'session', case tg_op when 'DELETE' then old.id else new.id end)::text
  );
  if tg_op = 'DELETE' then
    delete from pruned_events where session_id = old.id;
  end if;
  return null;
end $$;

create trigger tell_of_session_created after insert on sessions
for each row execute function tell_of_session('session_created');

create trigger tell_of_session_updated after update of name, desired, memory_cap_mb, isolated on sessions
for each row execute function tell_of_session('session_updated');

-- Fires after the cascades, whose names come first: see pruned_events.
create trigger tell_of_session_deleted after delete on sessions
for each row execute function tell_of_session('session_deleted');
