import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { replayInput } from '../../src/api/dashboard/replay-range.ts';
import {
  emptyWebhook,
  problemsByField,
  typedWebhook,
  valuesOfWebhook,
  webhookInput,
} from '../../src/api/dashboard/webhook-values.ts';
import { outcomeOf, wordsOfHealth } from '../../src/api/dashboard/webhook-words.ts';
import { operations } from '../../src/contract/index.ts';
import { exampleWebhook } from '../../src/contract/operations/webhook-resource.ts';

const fieldsOf =
  (fields: Readonly<Record<string, string>>) =>
  (name: string): string =>
    fields[name] ?? '';

describe('the form of a webhook', () => {
  test('asks nothing of events when it is left empty', () => {
    assert.deepEqual(webhookInput({ ...emptyWebhook, url: 'https://example.com/hook' }), {
      url: 'https://example.com/hook',
      events: ['all'],
      ordered: false,
      conditions: null,
    });
  });

  test('says what the API understands', () => {
    const values = typedWebhook(
      fieldsOf({
        url: ' https://example.com/hook ',
        ordered: 'yes',
        chats: '+1 555 123 4567\n\n120363000000000000@g.us, ',
        is_group: 'false',
        text_contains: 'order',
        ignore_case: 'yes',
      }),
      ['message'],
    );
    const { conditions, ...rest } = operations.createWebhook.params.parse(webhookInput(values));
    assert.deepEqual(rest, { url: 'https://example.com/hook', events: ['message'], ordered: true });
    assert.equal(conditions?.chats?.length, 2);
    assert.equal(conditions.is_group, false);
    assert.deepEqual(conditions.text, { contains: 'order', ignore_case: true });
  });

  test('changes nothing of a webhook that is saved as it is shown', () => {
    const conditions = {
      chats: ['15551234567@s.whatsapp.net'],
      is_from_me: true,
      text: { starts_with: ' two spaces ', matches: 'a*b', ignore_case: false },
    };
    const { url, events, ordered } = exampleWebhook;
    assert.deepEqual(webhookInput(valuesOfWebhook({ ...exampleWebhook, conditions })), {
      url,
      events,
      ordered,
      conditions,
    });
  });

  test('shows a problem of the third chat beside the chats', () => {
    const fields = { 'conditions.chats[2]': 'Expected: a phone number.' };
    const problems = problemsByField({ message: 'Please correct what is marked.', fields });
    assert.equal(problems.chats, 'Expected: a phone number.');
    assert.equal(problems.senders, null);
    assert.equal(problems.hasConditions, true);
  });
});

describe('the form for sending deliveries again', () => {
  test('takes times of UTC, and no others', () => {
    assert.deepEqual(replayInput(fieldsOf({ from: '2026-01-01T00:00', to: '2026-01-01T01:00:05', status: 'all' })), {
      from: 1_767_225_600,
      to: 1_767_229_205,
      status: 'all',
    });
    assert.deepEqual(replayInput(fieldsOf({})), {});
    for (const from of ['yesterday', '2026-13-01T00:00', '2026-01-01']) {
      assert.throws(() => replayInput(fieldsOf({ from })), { code: 'invalid_request' });
    }
  });
});

describe('how a webhook does', () => {
  const webhook = (change: object, health: object = {}) => ({
    ...exampleWebhook,
    ...change,
    health: { ...exampleWebhook.health, ...health },
  });

  test('is said in words', () => {
    const failing_since = 1_767_225_600;
    assert.equal(wordsOfHealth(webhook({})).words, 'Delivering');
    assert.equal(wordsOfHealth(webhook({}, { last_success_at: null })).words, 'Nothing delivered yet');
    assert.equal(wordsOfHealth(webhook({}, { failing_since })).words, 'Failing');
    assert.equal(wordsOfHealth(webhook({}, { failing_since, state: 'open' })).words, 'Receiver is down');
    assert.equal(wordsOfHealth(webhook({}, { failing_since, state: 'half_open' })).tone, 'warn');
    assert.equal(wordsOfHealth(webhook({ enabled: false })).words, 'Switched off');
    const disabled = webhook({ enabled: false, disabled_reason: 'Its receiver answered 410 Gone.' });
    assert.deepEqual(wordsOfHealth(disabled), { tone: 'bad', words: 'Disabled by the gateway' });
  });

  test('a delivery tells what came of its latest attempt', () => {
    const attempt = { number: 1, at: 0, duration_ms: 3, http_status: 200, error: null, response_excerpt: null };
    const failed = { ...attempt, http_status: null, error: 'the connection was refused' };
    assert.equal(outcomeOf({ status: 'pending', attempts: [] }), 'not tried yet');
    assert.equal(outcomeOf({ status: 'delivered', attempts: [failed, attempt] }), 'answered 200');
    assert.equal(outcomeOf({ status: 'dead', attempts: [attempt, failed] }), 'the connection was refused');
  });
});
