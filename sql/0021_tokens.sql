-- Tokens of the API. The secret part of a token is kept as a digest only.
create table api_tokens (
  ordinal bigint generated always as identity unique,
  id text primary key,
  name text not null,
  digest bytea not null,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  -- Otherwise it is good for the sessions in api_token_sessions.
  all_sessions boolean not null,
  -- Networks and addresses from which it may be used; none: from anywhere.
  addresses text[] not null,
  -- 'superadmin', or the id of a token.
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);

-- A session that is deleted takes the grants with it: another one of the same id is somebody else's.
create table api_token_sessions (
  token_id text not null references api_tokens (id) on delete cascade,
  session_id text not null references sessions (id) on delete cascade,
  primary key (token_id, session_id)
);

create index api_token_sessions_session on api_token_sessions (session_id);
create index browser_sessions_principal on browser_sessions (principal);

-- Who changed what. Outlives what it tells of, so that nothing here refers to another table.
create table audit (
  ordinal bigint generated always as identity primary key,
  at timestamptz not null,
  -- Null for somebody unknown.
  principal text,
  operation text not null,
  session_id text,
  target text,
  address text not null,
  request_id text not null,
  status smallint not null
);

create index audit_at on audit (at);
create index audit_session on audit (session_id, ordinal);
create index audit_principal on audit (principal, ordinal);
create index audit_operation on audit (operation, ordinal);
