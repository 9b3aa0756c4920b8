-- What becomes of messages: edits keep the row and change its content, deletions leave it without. Edits, deletions,
-- reactions and pins that are sent have rows of their own, which people do not see as messages.
alter table messages add column edited_at timestamptz;
alter table messages add column deleted_at timestamptz;
alter table messages add column is_shown boolean not null generated always as (
  coalesce(operation not in ('editMessage', 'reactToMessage', 'deleteMessage', 'pinMessage'), true)
) stored;

create index messages_shown on messages (session_id, at, ordinal) where is_shown;
create index messages_of_chat on messages (session_id, chat, at, ordinal) where is_shown;
create index messages_at on messages (at);

-- Edits and deletions of messages that have not arrived yet.
create table pending_changes (
  ordinal bigint generated always as identity primary key,
  session_id text not null references sessions (id) on delete cascade,
  target_id text not null,
  change text not null check (change in ('edited', 'deleted')),
  scope text not null check (scope in ('everyone', 'account')),
  chat text not null,
  author text not null,
  author_lid text,
  at timestamptz not null,
  body text,
  proto bytea
);

create index pending_changes_target on pending_changes (session_id, target_id);
create index pending_changes_at on pending_changes (at);

-- What WhatsApp may tell again and webhooks must hear of once.
create table told_once (
  session_id text not null references sessions (id) on delete cascade,
  id text not null,
  at timestamptz not null default now(),
  primary key (session_id, id)
);

create index told_once_at on told_once (at);
