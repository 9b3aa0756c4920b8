-- Answers that are kept for an Idempotency-Key hold no secret that is shown once.
update idempotency
set outcome = jsonb_set(outcome::jsonb, '{body,secret}', 'null', false)::json
where operation = 'createWebhook' and outcome is not null;

update idempotency
set outcome = jsonb_set(outcome::jsonb, '{body,webhook,secret}', 'null', false)::json
where operation = 'createSession' and outcome is not null;
