import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loggedError } from '../../src/log-error.ts';

describe('an error in the log', () => {
  test('has its name, words, code, place and causes, and nothing else that hangs on it', () => {
    const cause = Object.assign(new TypeError('no row for 15551234567'), {
      code: '22P02',
      detail: 'Key (body)=(hello)',
    });
    const error = Object.assign(new Error('The outer one.', { cause }), {
      values: ['hello'],
      sql: 'insert into messages values ($1)',
      request: { headers: { authorization: 'Bearer x' } },
    });
    const logged = loggedError(error);
    assert.deepEqual(Object.keys(logged), ['type', 'message', 'stack', 'cause']);
    assert.equal(logged.cause?.code, '22P02');
    assert.equal(logged.cause?.type, 'TypeError');
    assert.match(logged.stack ?? '', /^\s+at .*log-error\.test/);
    assert.equal(logged.cause.message, 'no row for …4567');
    assert.doesNotMatch(JSON.stringify(logged), /hello|Bearer|insert|15551234567/);
  });

  test('does not quote what the database or a parser could not take', () => {
    const text = 'meet me at the station at nine in the evening';
    assert.doesNotMatch(
      JSON.stringify(loggedError(new Error(`invalid input syntax for type integer: "${text}"`))),
      /nine/,
    );
    try {
      JSON.parse(`{"text": ${text}}`);
      assert.fail('it was parsed');
    } catch (error) {
      assert.doesNotMatch(JSON.stringify(loggedError(error)), /station|nine/);
    }
  });

  test('may be a chain without end, or nothing at all', () => {
    const error: Error & { cause?: unknown } = new Error('x');
    error.cause = error;
    assert.ok(JSON.stringify(loggedError(error)).length < 20_000);
    assert.deepEqual(loggedError({ secret: 'x' }), {
      type: 'object',
      message: 'something that is no error was thrown',
    });
    assert.equal(loggedError(undefined).type, 'undefined');
  });
});
