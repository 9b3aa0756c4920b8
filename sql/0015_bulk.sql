-- One message to many recipients. A gateway that works on it holds its lease; whoever comes after a crash takes it over
-- when the lease has ended.
create table bulks (
  ordinal bigint generated always as identity unique,
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  name text,
  status text not null check (status in ('running', 'paused', 'cancelled', 'finished')),
  status_reason text not null,
  operation text not null,
  params json not null,
  prepared json,
  -- Until when what was uploaded can be sent; null without a file.
  media_until timestamptz,
  interval_ms integer not null,
  jitter_ms integer not null,
  ttl_ms bigint not null,
  start_at timestamptz not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  held_until timestamptz,
  held_reason text,
  owner text,
  lease_until timestamptz
);

create index bulks_open on bulks (start_at) where status = 'running';
create index bulks_session on bulks (session_id, ordinal);

-- Of an accepted recipient the message row tells how far it has come.
create table bulk_recipients (
  bulk_id text not null references bulks (id) on delete cascade,
  position integer not null,
  chat text not null,
  variables json,
  state text not null check (state in ('queued', 'accepted', 'cancelled', 'skipped')),
  message_id text,
  primary key (bulk_id, position)
);

create index bulk_recipients_queued on bulk_recipients (bulk_id, position) where state = 'queued';
