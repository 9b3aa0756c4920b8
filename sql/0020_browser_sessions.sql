-- Browsers that are signed in to the dashboard. The cookie's value is kept as a digest only.
create table browser_sessions (
  digest bytea primary key,
  -- Who signed in: 'superadmin', or the id of a token.
  principal text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null
);

create index browser_sessions_seen on browser_sessions (last_seen_at);
