-- Why processes of a session ended, with what was seen of them: what people read when they ask what happened.
create table child_exits (
  ordinal bigint generated always as identity primary key,
  session_id text not null references sessions (id) on delete cascade,
  at timestamptz not null,
  cause text not null,
  detail text not null,
  pid integer,
  code integer,
  signal text,
  uptime_ms bigint not null,
  memory_cap_bytes bigint not null,
  -- The last samples, oldest first: [{at, private_bytes, heap_bytes, external_bytes}].
  memory json not null,
  growth text check (growth in ('heap', 'external', 'native')),
  stderr text not null,
  action text not null,
  delay_ms bigint,
  -- The sessions that are likely to have brought the process down, the most likely first; null when it had but one.
  culprits json,
  moved_to_own_child boolean not null,
  back_at timestamptz
);

create index child_exits_session on child_exits (session_id, ordinal);
create index child_exits_open on child_exits (session_id) where back_at is null;

-- Whether a session gets a process of its own: null leaves that to the density and to what happens.
alter table sessions add column isolated boolean;
