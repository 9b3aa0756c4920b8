-- Everything that sessions told, whether a webhook wanted it or not. The data is json and not jsonb: jsonb refuses
-- characters that messages may hold, and bodies must come out as they went in.
create table events (
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  sequence bigint not null,
  name text not null,
  at timestamptz not null,
  data json not null,
  unique (session_id, sequence)
);

create table webhooks (
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  url text not null,
  secret text not null,
  events text[] not null,
  ordered boolean not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  unique (session_id, url)
);

-- An event on its way to one webhook. Ids grow in the order of a session's events.
create table deliveries (
  id bigint generated always as identity primary key,
  webhook_id text not null references webhooks (id) on delete cascade,
  event_id text not null references events (id) on delete cascade,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  last_status integer,
  last_error text,
  last_duration_ms integer,
  settled_at timestamptz,
  unique (webhook_id, event_id)
);

create index deliveries_due on deliveries (webhook_id, due_at, id) where status = 'pending';
create index deliveries_head on deliveries (webhook_id, id) where status = 'pending';
create index deliveries_event on deliveries (event_id);
