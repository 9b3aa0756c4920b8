-- An account and what a user wants of it. Its epoch fences off writes of children that no longer own it; its event
-- sequence numbers what it tells.
create table sessions (
  ordinal bigint generated always as identity unique,
  id text primary key,
  name text,
  sandbox boolean not null,
  desired text not null check (desired in ('running', 'stopped')),
  memory_cap_mb integer,
  epoch bigint not null default 0,
  event_sequence bigint not null default 0,
  link_state text not null default 'idle',
  link_reason text not null default 'The session has not been connected yet.',
  link_until timestamptz,
  is_paired boolean not null default false,
  device json,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_connected_at timestamptz,
  linked_at timestamptz
);

create table credentials (
  session_id text primary key references sessions (id) on delete cascade,
  value bytea not null,
  updated_at timestamptz not null default now()
);

-- Signal keys, and under the type 'inbox' messages that were decrypted and not recorded yet. Rows are rewritten all the
-- time: the free space lets an update stay on its page.
create table signal_keys (
  session_id text not null references sessions (id) on delete cascade,
  type text not null,
  id text not null,
  value bytea not null,
  ordinal bigint generated always as identity,
  primary key (session_id, type, id)
) with (fillfactor = 70);
