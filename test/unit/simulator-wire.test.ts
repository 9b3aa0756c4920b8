import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FaultBook } from '../../src/simulator/faults.ts';
import { waysToWrite } from '../../src/simulator/flows/national-numbers.ts';
import { parseJid, phoneDigits } from '../../src/simulator/jid.ts';
import { createOracle } from '../../src/simulator/oracle.ts';
import { openDirectory } from '../../src/simulator/state/directory.ts';
import { openRecords } from '../../src/simulator/state/records.ts';
import type { Records } from '../../src/simulator/types.ts';
import { decodeNode, encodeNode } from '../../src/simulator/wire/codec.ts';
import { frame, FrameReader, noisePrologue } from '../../src/simulator/wire/frames.ts';
import { isSignedBy, newKeyPair, sign } from '../../src/simulator/wire/keys.ts';
import { element } from '../../src/simulator/wire/node.ts';

function openUsers(records: Records) {
  const left: number[] = [];
  const directory = openDirectory(records, {
    onUserCreated: () => undefined,
    onBundleTaken: (_device, count) => left.push(count),
  });
  return { directory, left, records };
}

function registration(seed: number) {
  const key = Buffer.alloc(32, seed);
  const signedPreKey = { keyId: 1, publicKey: key, signature: Buffer.alloc(64, seed) };
  return { noisePub: key, identityKey: key, registrationId: seed, signedPreKey };
}

describe('frames', () => {
  const payloads = [Buffer.from('one'), Buffer.alloc(70_000, 7), Buffer.alloc(0)];
  const stream = Buffer.concat([noisePrologue, ...payloads.map(frame)]);

  test('are cut out of one chunk', () => {
    assert.deepEqual(new FrameReader().push(stream), payloads);
  });

  test('are put together from single bytes, after an edge routing intro too', () => {
    const routing = Buffer.from('somewhere');
    const intro = Buffer.concat([Buffer.from('ED\0\x01'), Buffer.of(0, 0, routing.length), routing]);
    const reader = new FrameReader();
    const bytes = Array.from(Buffer.concat([intro, stream]), (byte) => Buffer.of(byte));
    assert.deepEqual(
      bytes.flatMap((byte) => reader.push(byte)),
      payloads,
    );
    assert.deepEqual(reader.routingInfo, routing);
  });

  test('without an intro are refused', () => {
    assert.throws(() => new FrameReader().push(Buffer.from('GET / HTTP/1.1')), /intro/);
  });
});

test('a stanza comes back from the codec as it was', async () => {
  const node = element('message', { id: 'A1', to: '15550001111:3@s.whatsapp.net', absent: undefined }, [
    element('enc', { v: '2', type: 'pkmsg' }, Buffer.from([0, 1, 2, 255])),
  ]);
  assert.deepEqual(await decodeNode(encodeNode(node)), node);
});

test('a signature holds for its message and its key only', () => {
  const [key, other] = [newKeyPair(), newKeyPair()];
  const message = Buffer.from('hello');
  const signature = sign(key.privKey, message);
  assert.equal(isSignedBy(key.pubKey, message, signature), true);
  assert.equal(isSignedBy(key.pubKey.subarray(1), message, signature), true);
  assert.equal(isSignedBy(other.pubKey, message, signature), false);
  assert.equal(isSignedBy(key.pubKey, Buffer.from('hallo'), signature), false);
  assert.equal(isSignedBy(key.pubKey, message, Buffer.alloc(3)), false);
});

test('addresses and numbers are read in all their forms', () => {
  assert.deepEqual(parseJid('15550001111:12@s.whatsapp.net'), {
    user: '15550001111',
    device: 12,
    server: 's.whatsapp.net',
  });
  assert.deepEqual(parseJid('100000000000001@lid'), { user: '100000000000001', device: 0, server: 'lid' });
  assert.equal(parseJid('15550001111'), undefined);
  assert.equal(phoneDigits('+1 (555) 000-1111'), '15550001111');
  assert.equal(phoneDigits('12'), undefined);
  assert.equal(phoneDigits('abc'), undefined);
  assert.deepEqual(waysToWrite('5511987654321'), ['5511987654321', '551187654321']);
  assert.deepEqual(waysToWrite('525512345678'), ['525512345678', '5215512345678']);
  assert.deepEqual(waysToWrite('5491112345678'), ['5491112345678', '541112345678']);
  assert.deepEqual(waysToWrite('15550001111'), ['15550001111']);
});

describe('the directory', () => {
  test('comes back from its records with users, companions and the keys that are left', () => {
    const records = openRecords(null);
    const { directory } = openUsers(records);
    const user = directory.create({ pn: '15550001111', kind: 'account', name: 'Ada' });
    const device = directory.link(user, directory.nextSeat(user), registration(3));
    directory.addPreKeys(
      device,
      [1, 2, 3].map((keyId) => ({ keyId, publicKey: Buffer.alloc(32, keyId) })),
    );
    assert.equal(directory.takeBundle(device).preKey?.keyId, 1);
    directory.change(user, { name: 'Ada L.' });

    const again = openUsers(records).directory;
    const same = again.byJid(`${user.lid}@lid`);
    assert.equal(same?.name, 'Ada L.');
    assert.ok(same && Buffer.from(user.identity.privKey).equals(same.identity.privKey));
    const companion = again.device(`${user.lid}:1@lid`);
    assert.ok(companion);
    assert.equal(again.byNoisePub(registration(3).noisePub), companion);
    assert.deepEqual([again.takeBundle(companion).preKey?.keyId, again.takeBundle(companion).preKey?.keyId], [2, 3]);
    assert.equal(again.takeBundle(companion).preKey, undefined);
    records.close();
  });

  test('gives out every one-time key once, however often it is uploaded', () => {
    const { directory, left } = openUsers(openRecords(null));
    const user = directory.create({ pn: '15550001111', kind: 'account' });
    const device = directory.link(user, directory.nextSeat(user), registration(3));
    const keys = [1, 2].map((keyId) => ({ keyId, publicKey: Buffer.alloc(32, keyId) }));
    directory.addPreKeys(device, keys);
    directory.addPreKeys(device, keys);
    assert.equal(directory.preKeyCount(device), 2);
    directory.takeBundle(device);
    assert.deepEqual(left, [1]);
  });

  test('remembers who was unlinked and does not give their place away at once', () => {
    const { directory } = openUsers(openRecords(null));
    const user = directory.create({ pn: '15550001111', kind: 'account' });
    const first = directory.link(user, directory.nextSeat(user), registration(3));
    directory.unlink(first);
    assert.equal(directory.wasUnlinked(first.noisePub), true);
    assert.equal(directory.device(first.jid), undefined);
    const second = directory.link(user, directory.nextSeat(user), registration(4));
    assert.equal(second.id, 2);
    assert.equal(directory.wasUnlinked(second.noisePub), false);
  });
});

test('faults are used up, end with their time, and one account does not suffer for another', () => {
  let now = 1_000_000;
  const faults = new FaultBook({ now: () => now, monotonic: () => now });
  const { directory } = openUsers(openRecords(null));
  const [ada, bob] = [
    directory.create({ pn: '15550001111', kind: 'account' }),
    directory.create({ pn: '15550002222', kind: 'account' }),
  ];
  faults.set(ada, 'refuse_send', { fault: 'refuse_send', code: 479, count: 2 });
  assert.deepEqual(
    [ada, bob, ada, ada].map((user) => faults.takeSendRefusal(user)),
    [479, null, 479, null],
  );
  faults.set(ada, 'ban', { fault: 'ban', seconds: 60 });
  assert.deepEqual(faults.takeLoginRefusal(ada), { reason: 402, ban: { code: 101, expireS: 60 } });
  assert.equal(faults.takeLoginRefusal(bob), null);
  now += 60_000;
  assert.equal(faults.takeLoginRefusal(ada), null);
  faults.set(null, 'slow_acks', { fault: 'slow_acks', delay_ms: 5 });
  assert.deepEqual(
    [ada, bob].map((user) => faults.ackDelayMs(user)),
    [5, 5],
  );
  faults.clear(null);
  assert.equal(faults.ackDelayMs(bob), 0);
});

test('the oracle tells a reused ratchet position from a repeated ciphertext', () => {
  const oracle = createOracle();
  const { directory } = openUsers(openRecords(null));
  const user = directory.create({ pn: '15550001111', kind: 'account' });
  const position = { sender: '15550001111:1@s.whatsapp.net', ratchetKey: Buffer.alloc(32, 1), counter: 0 };
  oracle.ratchetPosition(user, { ...position, ciphertext: Buffer.from('a') });
  oracle.ratchetPosition(user, { ...position, counter: 1, ciphertext: Buffer.from('b') });
  oracle.ratchetPosition(user, { ...position, ciphertext: Buffer.from('a') });
  assert.equal(oracle.report(user).repeated_ratchet_positions, 0);
  assert.equal(oracle.report(user).resent_ciphertexts, 1);
  oracle.ratchetPosition(user, { ...position, ciphertext: Buffer.from('c') });
  assert.equal(oracle.total().repeated_ratchet_positions, 1);
});
