import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { maskFields, maskJid, maskNumbers } from '../../src/log-redaction.ts';

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
});
