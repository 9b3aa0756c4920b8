-- What a session may have otherwise than the gateway, and what followed from WhatsApp's refusals; null for nothing.
alter table sessions add column pacing json;
alter table sessions add column pacing_backoff json;

-- Chats that a session began itself. A row is written when a chat begins, and none for any other message.
create table opened_chats (
  session_id text not null references sessions (id) on delete cascade,
  chat text not null,
  at timestamptz not null,
  primary key (session_id, chat)
);

create index opened_chats_at on opened_chats (session_id, at);
