import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorEnvelope, retryAfterSeconds } from '../../src/api/error-envelope.ts';
import { objectionsToText } from '../../src/api/rest/input-text.ts';
import { describeReceived, fieldName, parseParams } from '../../src/api/rest/validation.ts';
import { errorCatalogue, WardenError, type ErrorCode, type ErrorDetail } from '../../src/contract/errors.ts';
import { operationNames, operations } from '../../src/contract/index.ts';

function detailsOf(run: () => unknown): readonly ErrorDetail[] {
  try {
    run();
  } catch (error) {
    if (error instanceof WardenError && error.code === 'invalid_request') return error.details ?? [];
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the check of params', () => {
  test('accepts the example of every operation', () => {
    for (const name of operationNames) parseParams(name, operations[name].example.params);
  });

  test("names every operation's unknown field", () => {
    for (const name of operationNames) {
      const input = { ...operations[name].example.params, no_such_field: 1 };
      const details = detailsOf(() => parseParams(name, input));
      assert.ok(
        details.some(({ field, expected }) => field === 'no_such_field' && expected === 'no field of this name'),
        name,
      );
    }
  });

  test('says what was expected in words', () => {
    const expected = (input: unknown, field: string): string | undefined =>
      detailsOf(() => parseParams('createSession', input)).find((detail) => detail.field === field)?.expected;
    assert.equal(expected({ memory_cap_mb: 1.5 }, 'memory_cap_mb'), 'a whole number');
    assert.equal(expected({ memory_cap_mb: 1 }, 'memory_cap_mb'), 'at least 64');
    assert.equal(expected({ memory_cap_mb: 1e6 }, 'memory_cap_mb'), 'at most 4096');
    assert.equal(expected({ name: '' }, 'name'), 'at least 1 characters');
    assert.equal(expected({ sandbox: 1 }, 'sandbox'), 'true or false');
    assert.equal(expected({ webhook: { url: 'x', events: [] } }, 'webhook.events'), 'at least 1 items');
    assert.match(expected({ webhook: { url: 'x', events: ['y'] } }, 'webhook.events[0]') ?? '', /^one of "message", /);
    assert.match(expected({ id: '/' }, 'id') ?? '', /letters, digits/);
  });

  test('keeps secrets and long values out of what it tells', () => {
    assert.equal(describeReceived('hunter2', 'webhook.secret'), 'a string of 7 characters');
    assert.equal(describeReceived('hunter2', 'passphrase'), 'a string of 7 characters');
    assert.equal(describeReceived('{"noise', 'files.creds.json'), 'a string of 7 characters');
    assert.ok((describeReceived('x'.repeat(9999), 'text') ?? '').length < 70);
    assert.equal(describeReceived(Array(9).fill(0), 'mentions'), 'an array of 9');
    assert.equal(describeReceived(null, 'x'), 'null');
    assert.equal(describeReceived(undefined, 'x'), 'nothing');
    assert.equal(fieldName(['a', 'b', 2, 'c']), 'a.b[2].c');
    assert.equal(fieldName([]), 'body');
  });
});

describe('text that cannot be stored', () => {
  test('is found wherever it stands, keys included', () => {
    const fields = (input: unknown) =>
      objectionsToText(input)
        .map(({ field }) => field)
        .toSorted();
    assert.deepEqual(fields({ a: 'fine', b: ['x', '\u0000'], c: { d: '\udfff' } }), ['b[1]', 'c.d']);
    assert.deepEqual(fields({ 'a\u0000': 1 }), ['body']);
    assert.deepEqual(fields({ a: '😀', b: 1, c: null, d: true }), []);
  });

  test('is not looked for deeper than anybody writes', () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    assert.deepEqual(
      objectionsToText({ name: deep }).map(({ field }) => field),
      ['name'],
    );
  });
});

const isErrorCode = (code: string): code is ErrorCode => code in errorCatalogue;
const codes = Object.keys(errorCatalogue).filter(isErrorCode);

describe('the error envelope', () => {
  test('has one shape for every code of the catalogue', () => {
    for (const code of codes) {
      const entry = errorCatalogue[code];
      const error = WardenError.fromPlain({ code, message: 'words' });
      const envelope = errorEnvelope(error, 'req_1');
      assert.equal(envelope.error.code, entry.status);
      assert.equal(envelope.error.type, code);
      assert.equal(envelope.message !== undefined, entry.status === 401 || entry.status === 403);
      assert.equal(retryAfterSeconds(error) !== null, entry.status === 429 || entry.status === 503);
    }
  });

  test('says nothing of what went wrong inside', () => {
    const error = new WardenError('internal_error', {
      message: 'select * from secrets',
      details: [{ field: 'x', expected: 'y' }],
      cause: new Error('z'),
    });
    const text = JSON.stringify(errorEnvelope(error, 'req_1'));
    assert.doesNotMatch(text, /secrets|"y"|"z"/);
  });
});
