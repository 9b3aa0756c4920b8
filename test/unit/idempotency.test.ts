import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fateOf, verdictOn, verdictOnSend } from '../../src/api/rest/idempotency-decision.ts';
import { canonicalJson, fingerprintOf, parseIdempotencyKey, requestKey } from '../../src/api/rest/idempotency-key.ts';
import { parseParams } from '../../src/api/rest/validation.ts';
import { WardenError, type ErrorCode } from '../../src/contract/errors.ts';
import { operationNames, operations } from '../../src/contract/index.ts';
import type { Operation } from '../../src/contract/operation.ts';
import type { IdempotencyRow } from '../../src/store/idempotency-store.ts';
import type { MessageRow } from '../../src/store/store.ts';

describe('an Idempotency-Key', () => {
  const readings: readonly (readonly [string, string, string | null])[] = [
    ['bare', 'order-4711', 'order-4711'],
    ['quoted', '"order-4711"', 'order-4711'],
    ['quoted, with escapes', String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['bare with quotes inside', 'a"b', 'a"b'],
    ['surrounded by spaces', '  key ', 'key'],
    ['of one character', '!', '!'],
    ['of 255 characters', 'k'.repeat(255), 'k'.repeat(255)],
    ['of 256 characters', 'k'.repeat(256), null],
    ['empty', '', null],
    ['empty in quotes', '""', null],
    ['with a space', 'a b', null],
    ['with a space in quotes', '"a b"', null],
    ['sent twice', 'one, two', null],
    ['with an opening quote only', '"open', null],
    ['that is one quote', '"', null],
    ['with parameters', '"key";v=1', null],
    ['with an escape that is none', String.raw`"a\n"`, null],
    ['outside of ASCII', 'schlüssel', null],
    ['with a control character', 'a\u0001', null],
  ];
  for (const [how, value, expected] of readings) {
    test(`${how} is ${expected === null ? 'refused' : 'read'}`, () => {
      assert.equal(parseIdempotencyKey(value), expected);
    });
  }

  test('may be missing unless the operator wants one, and an operation without keys never looks', () => {
    const refused = (error: unknown) => error instanceof WardenError && error.code === 'invalid_request';
    assert.equal(requestKey(undefined, { idempotent: true }, false), null);
    assert.throws(() => requestKey(undefined, { idempotent: true }, true), refused);
    assert.throws(() => requestKey('', { idempotent: 'repeatable' }, false), refused);
    assert.equal(requestKey(undefined, { idempotent: false }, true), null);
    assert.equal(requestKey('not a key', { idempotent: false }, true), null);
  });
});

describe('the fingerprint of a request', () => {
  const of = (input: object) => fingerprintOf(parseParams('sendText', input), null);

  test('does not depend on the order of fields or on how a number is written', () => {
    assert.equal(of({ to: '+1 555 123-4567', text: 'Hi' }), of({ text: 'Hi', to: '15551234567@c.us' }));
    assert.equal(of({ to: '15551234567', text: 'Hi' }), of({ to: '15551234567', text: 'Hi', link_preview: false }));
  });

  test('depends on every value, and on the file', () => {
    const prints = [
      of({ to: '15551234567', text: 'Hi' }),
      of({ to: '15551234567', text: 'Hi ' }),
      of({ to: '15557654321', text: 'Hi' }),
      fingerprintOf({}, null),
      fingerprintOf({}, { sha256: 'aa', fileName: 'a.pdf' }),
      fingerprintOf({}, { sha256: 'ab', fileName: 'a.pdf' }),
      fingerprintOf({}, { sha256: 'aa', fileName: 'b.pdf' }),
    ];
    assert.equal(new Set(prints).size, prints.length);
  });

  test('is made of JSON whose fields are in order, at every depth', () => {
    const value = { b: [{ d: 1, c: undefined }, 'x'], a: { z: null, y: 'é"' } };
    assert.equal(canonicalJson(value), String.raw`{"a":{"y":"é\"","z":null},"b":[{"d":1},"x"]}`);
    assert.notEqual(canonicalJson(['1']), canonicalJson([1]));
  });
});

const row = (change: Partial<IdempotencyRow>): IdempotencyRow => ({
  ordinal: 1,
  fingerprint: 'same',
  messageId: null,
  leaseUntil: null,
  outcome: null,
  expiresAt: 10_000,
  ...change,
});

describe('a request whose key is known', () => {
  const verdict = (change: Partial<IdempotencyRow>, idempotent: Operation['idempotent'] = true) =>
    verdictOn(row(change), { fingerprint: 'same', idempotent, now: 5000 }).tag;

  test('gets the answer of the first, also when that was an error', () => {
    assert.equal(verdict({ outcome: { tag: 'answer', status: 200, body: {} } }), 'replay');
    assert.equal(verdict({ outcome: { tag: 'error', error: { code: 'no_picture', message: '' } } }), 'replay');
  });

  test('is refused when it asks for something else, finished or not', () => {
    assert.equal(verdict({ fingerprint: 'other', outcome: { tag: 'answer', status: 200, body: {} } }), 'mismatch');
    assert.equal(verdict({ fingerprint: 'other', leaseUntil: 6000 }), 'mismatch');
  });

  test('waits while the lease runs; then it is done anew where that harms nobody, and unknown elsewhere', () => {
    assert.equal(verdict({ leaseUntil: 5001 }), 'running');
    assert.equal(verdict({ leaseUntil: 5000 }), 'unknown');
    assert.equal(verdict({ leaseUntil: 5000 }, 'repeatable'), 'free');
    assert.equal(verdict({ outcome: { tag: 'unknown' } }, 'repeatable'), 'unknown');
  });

  test('begins anew when the key has expired', () => {
    assert.equal(verdict({ fingerprint: 'other', expiresAt: 5000 }), 'free');
  });

  test('is sent to the message that it has become', () => {
    assert.equal(verdict({ messageId: '3EB0', leaseUntil: null }), 'message');
  });
});

describe('a repeated send without a final answer', () => {
  const message = (change: Partial<MessageRow>): MessageRow => ({
    ordinal: 1,
    id: '3EB0C431C26A1916E07E',
    chat: '15551234567@s.whatsapp.net',
    sender: null,
    fromMe: true,
    type: null,
    operation: 'sendText',
    body: 'Hi',
    at: 1_767_225_600_000,
    status: 'accepted',
    errorCode: null,
    editedAt: null,
    deletedAt: null,
    sentAt: null,
    deliveredAt: null,
    readAt: null,
    playedAt: null,
    failedAt: null,
    media: null,
    ...change,
  });
  const errorOf = (errorCode: string | null): ErrorCode | string => {
    const verdict = verdictOnSend(message({ status: 'failed', errorCode }));
    return verdict.tag === 'error' ? verdict.error.code : verdict.tag;
  };

  test('is told where the message is now', () => {
    const answers = (['accepted', 'sent', 'delivered', 'read', 'played'] as const).map((status) => {
      const verdict = verdictOnSend(message({ status, sentAt: status === 'accepted' ? null : 1_767_225_605_000 }));
      assert.equal(verdict.tag, 'answer');
      return verdict.tag === 'answer' ? [verdict.outcome.status, verdict.outcome.body] : [];
    });
    const body = { success: true, message_id: '3EB0C431C26A1916E07E', to: '15551234567@s.whatsapp.net' };
    assert.deepEqual(answers, [
      [202, { ...body, timestamp: 1_767_225_600, status: 'pending' }],
      ...['sent', 'delivered', 'read', 'played'].map((status) => [200, { ...body, timestamp: 1_767_225_605, status }]),
    ]);
  });

  test('is told why it failed, and sent anew when the reason may be gone', () => {
    assert.equal(errorOf('expired'), 'message_expired');
    assert.equal(errorOf(null), 'message_expired');
    assert.equal(errorOf('recipient_not_on_whatsapp'), 'recipient_not_on_whatsapp');
    assert.equal(errorOf('463'), 'whatsapp_refused');
    assert.equal(errorOf('media_upload_failed'), 'again');
  });

  test('is never sent anew because the message was deleted', () => {
    const verdict = verdictOnSend(null);
    assert.equal(verdict.tag === 'error' && verdict.error.code, 'message_not_found');
  });
});

describe('a taken key whose request has failed', () => {
  const fate = (code: ErrorCode, operation: Pick<Operation, 'runs' | 'idempotent'>) =>
    fateOf(new WardenError(code), operation);
  const once = { runs: 'child', idempotent: true } as const;
  const repeatable = { runs: 'child', idempotent: 'repeatable' } as const;
  const sending = { runs: 'send', idempotent: true } as const;

  test('keeps what will not change', () => {
    for (const code of ['recipient_not_on_whatsapp', 'webhook_exists', 'media_type_not_supported'] as const) {
      for (const operation of [once, repeatable, sending]) assert.equal(fate(code, operation), 'keep', code);
    }
  });

  test('forgets what the next try may not meet', () => {
    for (const code of [
      'invalid_request',
      'forbidden',
      'rate_limited',
      'not_a_group_admin',
      'session_busy',
      'whatsapp_refused',
    ] as const) {
      assert.equal(fate(code, once), 'release', code);
    }
  });

  test('says that nobody knows, where it may have happened and must not happen twice', () => {
    for (const code of ['whatsapp_timeout', 'session_restarted', 'session_not_connected', 'internal_error'] as const) {
      assert.equal(fate(code, once), 'unknown', code);
      assert.equal(fate(code, repeatable), 'release', code);
    }
  });

  test("leaves the rest to the message's own row", () => {
    for (const code of ['storage_unavailable', 'media_upload_failed', 'message_not_own', 'internal_error'] as const) {
      assert.equal(fate(code, sending), 'leave', code);
    }
  });
});

test('every send and everything that creates honours a key, and no question does', () => {
  for (const name of operationNames) {
    const { runs, method, idempotent }: Operation = operations[name];
    if (runs === 'send') assert.equal(idempotent, true, name);
    if (method === 'GET') assert.equal(idempotent, false, name);
  }
  for (const name of ['createSession', 'createGroup', 'createWebhook'] as const) {
    assert.equal(operations[name].idempotent, true, name);
  }
});
