-- Messages that are to be sent at a later time. When it has come, a row moves into messages within one transaction: which
-- table it is in tells whether it can still be cancelled.
create table scheduled_messages (
  ordinal bigint generated always as identity unique,
  session_id text not null references sessions (id) on delete cascade,
  id text not null,
  chat text not null,
  operation text not null,
  params json not null,
  prepared json,
  created_at timestamptz not null,
  due_at timestamptz not null,
  primary key (session_id, id)
);

create index scheduled_messages_due on scheduled_messages (due_at, ordinal);
create index scheduled_messages_of_session on scheduled_messages (session_id, due_at, ordinal);
create index scheduled_messages_prepared on scheduled_messages (ordinal) where prepared is not null;
