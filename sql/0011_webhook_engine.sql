-- What a webhook wants of events, who may be called by it, and its secrets: after a rotation the one before signs, too,
-- until its time is over.
alter table webhooks add column conditions json;
alter table webhooks add column allow_private boolean not null default true;
alter table webhooks alter column allow_private drop default;
alter table webhooks add column previous_secret text;
alter table webhooks add column previous_secret_until timestamptz;
alter table webhooks add column disabled_reason text;

-- How the receiver of a webhook has been doing. Rewritten with every batch of attempts, so it lies apart from what is
-- read for every event. `retry_at` is set while the breaker is open; `probe_until` while somebody tries.
create table webhook_health (
  webhook_id text primary key references webhooks (id) on delete cascade,
  consecutive_failures integer not null default 0,
  failing_since timestamptz,
  failure_days integer not null default 0,
  last_success_at timestamptz,
  last_failure_at timestamptz,
  last_error text,
  pause_ms bigint,
  retry_at timestamptz,
  probe_until timestamptz
) with (fillfactor = 50);

insert into webhook_health (webhook_id) select id from webhooks;

-- Deliveries of an ordered webhook travel in lanes, one per chat; the others have none. Of a lane only the delivery with
-- the smallest sequence is sent, and those behind it are blocked. `schedule_offset` counts the attempts that do not
-- belong to the present run through the retry schedule.
alter table deliveries add column sequence bigint;
alter table deliveries add column lane text;
alter table deliveries add column blocked boolean not null default false;
alter table deliveries add column schedule_offset integer not null default 0;
alter table deliveries add column created_at timestamptz not null default now();
update deliveries d set sequence = e.sequence from events e where e.id = d.event_id;
alter table deliveries alter column sequence set not null;
update deliveries d set lane = coalesce(e.data ->> 'chat', e.data ->> 'group', '')
from events e, webhooks w
where e.id = d.event_id and w.id = d.webhook_id and w.ordered and d.status = 'pending';
update deliveries d set blocked = true
where d.status = 'pending' and exists (
  select from deliveries h
  where h.webhook_id = d.webhook_id and h.lane = d.lane and h.status = 'pending' and h.sequence < d.sequence
);

drop index deliveries_due;
drop index deliveries_head;
create index deliveries_due on deliveries (webhook_id, due_at, sequence) where status = 'pending' and not blocked;
create index deliveries_lane on deliveries (webhook_id, lane, sequence) where status = 'pending' and lane is not null;
create index deliveries_leased on deliveries (webhook_id, lease_until) where lease_until is not null;
create index deliveries_dead on deliveries (settled_at) where status = 'dead';

-- One HTTP request of a delivery, as people look at it.
create table attempts (
  delivery_id bigint not null references deliveries (id) on delete cascade,
  number integer not null,
  at timestamptz not null,
  duration_ms integer not null,
  http_status integer,
  error text,
  excerpt text,
  primary key (delivery_id, number)
);
