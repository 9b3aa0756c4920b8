-- Whose request an event follows from, so that the log and the traces of its deliveries can be put beside that request's.
alter table events add column if not exists request_id text;
alter table events add column if not exists traceparent text;
