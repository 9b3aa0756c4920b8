-- Of what the role of a token may do, only this; null for all of it.
alter table api_tokens add column if not exists scopes text[];
