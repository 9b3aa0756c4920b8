import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeClose, type CloseCause, type CloseRule } from '../../src/child/close-codes.ts';

function judge(code: number | null, more: Partial<CloseCause> = {}, isPaired = true): CloseRule['tag'] {
  const verdict = judgeClose(
    { code, message: '', origin: 'failure', conflict: null, banSeconds: null, ...more },
    isPaired,
  );
  assert.match(verdict.sentence, /\.$/, 'every verdict has a sentence');
  return verdict.rule.tag;
}

describe('the end of a link', () => {
  const table: readonly (readonly [number, CloseRule['tag']])[] = [
    [515, 'restart'],
    [401, 'logged_out'],
    [402, 'banned'],
    [403, 'logged_out'],
    [405, 'outdated'],
    [406, 'logged_out'],
    [408, 'back_off'],
    [409, 'rejected'],
    [411, 'rejected'],
    [413, 'rejected'],
    [414, 'rejected'],
    [415, 'rejected'],
    [418, 'rejected'],
    [419, 'rejected'],
    [428, 'back_off'],
    [429, 'back_off'],
    [440, 'replaced'],
    [400, 'damaged'],
    [500, 'back_off'],
    [501, 'rejected'],
    [503, 'back_off'],
    [599, 'back_off'],
  ];
  for (const [code, rule] of table) {
    test(`with ${code} leads to ${rule}`, () => assert.equal(judge(code), rule));
  }

  test('by a server that cannot prove that it is WhatsApp is tried again slowly and steadily', () => {
    for (const message of [
      'noise certificate signature invalid',
      'noise intermediate certificate signature invalid',
      'noise certificate is of another server',
      'invalid noise leaf certificate',
      'certification match failed',
    ]) {
      assert.equal(judge(400, { message, origin: 'transport' }), 'back_off', message);
    }
  });

  test('by a pairing that the account did not sign waits for a person', () => {
    for (const message of ['Failed to verify account signature', 'Invalid account signature']) {
      assert.equal(judge(500, { message, origin: 'transport' }, false), 'rejected', message);
    }
  });

  test('without a code is a lost connection', () => assert.equal(judge(null), 'back_off'));

  test('by a removed device is a logout, whatever code the library gives it', () => {
    assert.equal(judge(440, { conflict: 'device_removed', origin: 'stream_error' }), 'logged_out');
  });

  test('with 401 before the account confirmed the device resets the pairing instead of deleting an account', () => {
    assert.equal(judge(401, {}, false), 'reset_pairing');
  });

  test('with 401 forgets the credentials, with a lock or a ban it keeps them', () => {
    const rule = (code: number): CloseRule =>
      judgeClose({ code, message: '', origin: 'failure', conflict: null, banSeconds: null }, true).rule;
    assert.deepEqual(rule(401), { tag: 'logged_out', forget: true });
    assert.deepEqual(rule(403), { tag: 'logged_out', forget: false });
    assert.deepEqual(rule(406), { tag: 'logged_out', forget: false });
  });

  test('with an unknown stream error never gives an account up', () => {
    assert.equal(judge(500, { origin: 'stream_error' }), 'damaged');
    assert.equal(judge(501, { origin: 'stream_error' }), 'back_off');
  });
});
