-- Requests that came with an Idempotency-Key: a repetition gets the answer of the first, and nothing happens twice.
create table idempotency (
  ordinal bigint generated always as identity primary key,
  principal text not null,
  -- Null for operations that are about no session.
  session_id text references sessions (id) on delete cascade,
  operation text not null,
  key text not null,
  -- SHA-256 of what was asked for, in hex.
  fingerprint text not null,
  -- The message that a send has become; it tells how that ended while there is no outcome.
  message_id text,
  -- Until then whoever took the key may still be at it; null for messages.
  lease_until timestamptz,
  -- The answer to repeat; json and not jsonb, because bodies must come out as they went in.
  outcome json,
  expires_at timestamptz not null
);

create unique index idempotency_scope on idempotency (principal, operation, key, coalesce(session_id, ''));
create index idempotency_expiry on idempotency (expires_at);
create index idempotency_session on idempotency (session_id);
