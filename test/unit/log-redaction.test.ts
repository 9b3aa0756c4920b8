import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loggedError, maskFields, maskJid, maskNumbers } from '../../src/log-redaction.ts';

describe('what may stand in a log', () => {
  test('a number of a person keeps its last four digits', () => {
    assert.equal(maskJid('15551234567@s.whatsapp.net'), '…4567@s.whatsapp.net');
    assert.equal(maskJid('15551234567'), '…4567');
    assert.equal(
      maskNumbers('cannot reach 15551234567@s.whatsapp.net or 120363000000000001@g.us in 2000 ms'),
      'cannot reach …4567@s.whatsapp.net or …0001@g.us in 2000 ms',
    );
  });

  test('fields of a child are masked, ids of ours are not', () => {
    assert.deepEqual(
      maskFields({ requestId: '12345678', messageId: '3EB012345678', text: 'to 15551234567', code: 503 }),
      {
        requestId: '12345678',
        messageId: '3EB012345678',
        text: 'to …4567',
        code: 503,
      },
    );
  });

  test('of an error only what is known to be harmless', () => {
    const cause = Object.assign(new Error('no row for 15551234567'), { code: '23505', detail: 'Key (body)=(secret)' });
    const logged = loggedError(Object.assign(new TypeError('refused', { cause }), { params: ['secret'], request: {} }));
    assert.deepEqual(Object.keys(logged).toSorted(), ['cause', 'message', 'stack', 'type']);
    assert.equal(logged.type, 'TypeError');
    assert.equal(logged.cause?.message, 'no row for …4567');
    assert.equal(logged.cause.code, '23505');
    assert.doesNotMatch(JSON.stringify(logged), /secret|15551234567/);
  });

  test('what is thrown and is no error is told in words, and a circle of causes ends', () => {
    assert.deepEqual(loggedError('15551234567'), { type: 'string', message: '…4567' });
    const circular = new Error('a');
    circular.cause = circular;
    assert.doesNotThrow(() => JSON.stringify(loggedError(circular)));
  });
});
