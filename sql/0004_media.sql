-- Where the file of a message lies at WhatsApp, with its keys; and, of an accepted message, the media that it will carry.
alter table messages add column media json;
alter table messages add column prepared json;

create index messages_prepared on messages (ordinal) where prepared is not null and status = 'accepted';

-- Media that was uploaded once to be sent many times, from any session of the same side: sandbox or not.
create table uploaded_media (
  id text primary key,
  sandbox boolean not null,
  prepared json not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);

create index uploaded_media_expiry on uploaded_media (expires_at);
