create table messages (
  ordinal bigint generated always as identity primary key,
  session_id text not null references sessions (id) on delete cascade,
  id text not null,
  chat text not null,
  -- Null until a child has resolved whose message it is.
  sender text,
  from_me boolean not null,
  type text,
  body text,
  proto bytea,
  key bytea,
  at timestamptz not null,
  status text not null check (status in ('accepted', 'sent', 'delivered', 'read', 'played', 'failed')),
  error_code text,
  -- What was asked for; null when the message was not sent through the gateway.
  operation text,
  params json,
  expires_at timestamptz,
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  played_at timestamptz,
  failed_at timestamptz
);

create unique index messages_own on messages (session_id, id) where from_me;
create unique index messages_received on messages (session_id, chat, sender, id) where not from_me;
create index messages_id on messages (session_id, id) where not from_me;
create index messages_accepted on messages (session_id, ordinal) where status = 'accepted';
