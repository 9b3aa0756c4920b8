-- Keys that credentials, Signal keys and other secrets are encrypted with; they lie here encrypted with the gateway's own
-- key, which is not in the database. A row without a session is for what belongs to the gateway as a whole. Of several
-- keys of a session the newest encrypts, and all of them decrypt.
create table if not exists data_keys (
  id bigint generated always as identity primary key,
  session_id text references sessions (id) on delete cascade,
  kek_id text not null,
  wrapped bytea not null,
  -- How many records it may have encrypted; counted in blocks, ahead of their use.
  records bigint not null default 0,
  created_at timestamptz not null default now()
);

create index if not exists data_keys_session on data_keys (session_id, id);

-- A gateway of an older version that still runs would write what nobody encrypts: its children are fenced off.
update sessions set epoch = epoch + 1;

-- What was there before is encrypted by the next start; all that is written from now on is encrypted.
alter table credentials add column if not exists is_sealed boolean not null default false;
alter table credentials alter column is_sealed set default true;
alter table signal_keys add column if not exists is_sealed boolean not null default false;
alter table signal_keys alter column is_sealed set default true;
create index if not exists signal_keys_plain on signal_keys (session_id) where not is_sealed;

alter table webhooks add column if not exists sealed_secret bytea;
alter table webhooks add column if not exists sealed_previous_secret bytea;
alter table webhooks alter column secret drop not null;

-- Answers can hold what is shown once, such as the secret of a webhook.
alter table idempotency add column if not exists sealed_outcome bytea;
