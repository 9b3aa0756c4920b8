import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateIdentityKeyPair, generateRegistrationId, generateSignedPreKey } from 'whatsapp-rust-bridge';
import { describeContent } from '../../src/simulator/content.ts';
import { textContent } from '../../src/simulator/content/text.ts';
import { SignalEngine } from '../../src/simulator/signal-engine.ts';
import { ratchetPosition } from '../../src/simulator/signal/ratchet-position.ts';
import { openRecords } from '../../src/simulator/state/records.ts';
import type { User } from '../../src/simulator/types.ts';

function person(pn: string, lid: string): User {
  const identity = generateIdentityKeyPair();
  return {
    pn,
    lid,
    kind: 'contact',
    name: 'Somebody',
    registered: true,
    identity,
    registrationId: generateRegistrationId(),
    signedPreKey: generateSignedPreKey(identity, 1),
    devices: new Map(),
  };
}

function pair() {
  const records = openRecords(null);
  const engine = new SignalEngine(records);
  const ann = person('15550100001', '100000000000001');
  const ben = person('15550100002', '100000000000002');
  return { records, engine, ann, ben, toBen: { lid: ben.lid, device: 0 }, toAnn: { lid: ann.lid, device: 0 } };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('Signal sessions of simulated people', () => {
  test('two people write to each other, first with pre-key messages, then with plain ones', async () => {
    const { engine, ann, ben, toBen, toAnn } = pair();
    await engine.openSession(ann, toBen, engine.bundle(ben));
    const first = await engine.encrypt(ann, toBen, bytes('one'));
    const second = await engine.encrypt(ann, toBen, bytes('two'));
    assert.deepEqual([first.type, second.type], ['pkmsg', 'pkmsg']);
    assert.deepEqual(await engine.decrypt(ben, toAnn, first), { tag: 'plaintext', plaintext: bytes('one') });
    assert.deepEqual(await engine.decrypt(ben, toAnn, second), { tag: 'plaintext', plaintext: bytes('two') });
    const answer = await engine.encrypt(ben, toAnn, bytes('three'));
    assert.equal(answer.type, 'msg');
    assert.deepEqual(await engine.decrypt(ann, toBen, answer), { tag: 'plaintext', plaintext: bytes('three') });
    assert.equal((await engine.encrypt(ann, toBen, bytes('four'))).type, 'msg');
  });

  test('the same ciphertext is known the second time, and a forgotten session makes it unreadable', async () => {
    const { engine, ann, ben, toBen, toAnn } = pair();
    await engine.openSession(ann, toBen, engine.bundle(ben));
    await engine.decrypt(ben, toAnn, await engine.encrypt(ann, toBen, bytes('one')));
    await engine.decrypt(ann, toBen, await engine.encrypt(ben, toAnn, bytes('two')));
    const third = await engine.encrypt(ann, toBen, bytes('three'));
    assert.equal((await engine.decrypt(ben, toAnn, third)).tag, 'plaintext');
    assert.equal((await engine.decrypt(ben, toAnn, third)).tag, 'duplicate');
    engine.forget(ben, { lid: ann.lid });
    assert.equal(engine.hasSession(ben, toAnn), false);
    assert.equal((await engine.decrypt(ben, toAnn, third)).tag, 'undecryptable');
  });

  test('forgetting device 1 leaves the session with device 12', async () => {
    const { engine, ann, ben } = pair();
    await engine.openSession(ann, { lid: ben.lid, device: 1 }, engine.bundle(ben));
    await engine.openSession(ann, { lid: ben.lid, device: 12 }, engine.bundle(ben));
    engine.forget(ann, { lid: ben.lid, device: 1 });
    assert.equal(engine.hasSession(ann, { lid: ben.lid, device: 1 }), false);
    assert.equal(engine.hasSession(ann, { lid: ben.lid, device: 12 }), true);
  });

  test('many messages at once do not tread on each other', async () => {
    const { engine, ann, ben, toBen, toAnn } = pair();
    await engine.openSession(ann, toBen, engine.bundle(ben));
    const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    const encrypted = await Promise.all(texts.map((text) => engine.encrypt(ann, toBen, bytes(text))));
    const positions = encrypted.map(({ type, ciphertext }) => ratchetPosition('a', type, ciphertext)?.counter);
    assert.equal(new Set(positions).size, texts.length);
    const decrypted = await Promise.all(encrypted.map((one) => engine.decrypt(ben, toAnn, one)));
    assert.deepEqual(
      decrypted.map((one) => (one.tag === 'plaintext' ? Buffer.from(one.plaintext).toString() : one.tag)),
      texts,
    );
  });
});

describe('ratchet positions', () => {
  test('a position is the same inside a pre-key message and in a plain one, and moves with each message', async () => {
    const { engine, ann, ben, toBen, toAnn } = pair();
    await engine.openSession(ann, toBen, engine.bundle(ben));
    const first = await engine.encrypt(ann, toBen, bytes('one'));
    const second = await engine.encrypt(ann, toBen, bytes('two'));
    const one = ratchetPosition('a', first.type, first.ciphertext);
    const two = ratchetPosition('a', second.type, second.ciphertext);
    assert.equal(one?.ratchetKey.length, 33);
    assert.deepEqual(one?.ratchetKey, two?.ratchetKey);
    assert.deepEqual([one?.counter, two?.counter], [0, 1]);
    await engine.decrypt(ben, toAnn, first);
    const answer = await engine.encrypt(ben, toAnn, bytes('three'));
    assert.equal(ratchetPosition('b', answer.type, answer.ciphertext)?.counter, 0);
  });

  test('what is no Signal message has no position', () => {
    assert.equal(ratchetPosition('a', 'skmsg', Buffer.alloc(40)), null);
    assert.equal(ratchetPosition('a', 'msg', Buffer.alloc(3)), null);
    assert.equal(ratchetPosition('a', 'pkmsg', Buffer.from('330a', 'hex')), null);
    assert.equal(ratchetPosition('a', 'msg', Buffer.alloc(60, 0xff)), null);
  });
});

describe('content of messages', () => {
  test('a text that quotes another message tells which', () => {
    const quoted = { messageId: '3EB0', author: '100000000000001@lid', content: textContent('before', null) };
    const { raw, ...said } = describeContent(textContent('after', quoted));
    assert.deepEqual(said, { type: 'text', text: 'after', caption: null, quotedId: '3EB0' });
    assert.deepEqual(raw, {
      extendedTextMessage: {
        text: 'after',
        contextInfo: { stanzaId: '3EB0', participant: quoted.author, quotedMessage: { conversation: 'before' } },
      },
    });
  });
});
