import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import * as bridge from 'whatsapp-rust-bridge';
import { LightCache } from '../../src/child/lean/node-cache.ts';
import * as standIn from '../../src/child/lean/rust-bridge.ts';
import { verifyXEdDsa } from '../../src/child/lean/x-ed-dsa.ts';
import { trusted } from '../../src/contract/trusted.ts';
import { eventually } from '../support/eventually.ts';

const rounds = 200;

describe('the crypto of the lean child gives what the WebAssembly gives', () => {
  test('for md5', () => {
    for (let round = 0; round < rounds; round += 1) {
      const data = randomBytes(randomInt(0, 300));
      assert.deepEqual(standIn.md5(data), bridge.md5(data));
    }
  });

  test('for HKDF of every length, with and without salt and info', () => {
    for (let round = 0; round < rounds; round += 1) {
      const key = randomBytes(randomInt(0, 80));
      const length = randomInt(1, 200);
      const options = {
        ...(round % 2 === 0 ? {} : { salt: randomBytes(randomInt(1, 64)) }),
        ...(round % 3 === 0 ? {} : { info: randomBytes(randomInt(0, 20)).toString('base64') }),
      };
      assert.deepEqual(standIn.hkdf(key, length, options), bridge.hkdf(key, length, options));
    }
  });

  test('for the keys of app state', () => {
    const names = ['indexKey', 'valueEncryptionKey', 'valueMacKey', 'snapshotMacKey', 'patchMacKey'] as const;
    for (let round = 0; round < rounds; round += 1) {
      const key = randomBytes(32);
      const [ours, theirs] = [standIn.expandAppStateKeys(key), bridge.expandAppStateKeys(key)];
      for (const name of names) assert.deepEqual(ours[name], theirs[name], name);
    }
  });

  test('for the hash over app state', () => {
    const [ours, theirs] = [new standIn.LTHashAntiTampering(), new bridge.LTHashAntiTampering()];
    let base: Uint8Array = new Uint8Array(128);
    for (let round = 0; round < rounds; round += 1) {
      const values = (): Uint8Array[] => Array.from({ length: randomInt(0, 5) }, () => randomBytes(32));
      const [subtract, add] = [values(), values()];
      const next = theirs.subtractThenAdd(base, subtract, add);
      assert.deepEqual(ours.subtractThenAdd(base, subtract, add), next);
      base = next;
    }
  });
});

interface ReferenceCurve {
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

describe('signatures', () => {
  // Written in JavaScript and without types; what libsignal uses by itself.
  const reference = trusted<ReferenceCurve>(createRequire(import.meta.url)('curve25519-js'));
  const keys = (): { readonly open: Buffer; readonly secret: Buffer } => {
    const { pubKey, privKey } = bridge.generateKeyPair();
    return { open: Buffer.from(pubKey.subarray(1)), secret: Buffer.from(privKey) };
  };

  test('of both signers are taken by both verifiers', () => {
    for (let round = 0; round < 60; round += 1) {
      const { open, secret } = keys();
      const message = randomBytes(randomInt(1, 400));
      for (const signature of [reference.sign(secret, message), bridge.calculateSignature(secret, message)]) {
        assert.equal(verifyXEdDsa(open, message, signature), true);
        assert.equal(reference.verify(open, message, signature), true);
      }
    }
  });

  test('that were tampered with are refused, like those of another message or key', () => {
    for (let round = 0; round < 40; round += 1) {
      const { open, secret } = keys();
      const message = randomBytes(64);
      const signature = Buffer.from(bridge.calculateSignature(secret, message));
      const flipped = (bytes: Buffer): Buffer => {
        const copy = Buffer.from(bytes);
        const at = randomInt(0, copy.length);
        copy[at] = copy.readUInt8(at) ^ (1 << randomInt(0, 8));
        return copy;
      };
      const tampered = flipped(signature);
      assert.equal(verifyXEdDsa(open, message, tampered), reference.verify(open, message, tampered));
      assert.equal(verifyXEdDsa(open, message, tampered), false);
      assert.equal(verifyXEdDsa(open, flipped(message), signature), false);
      assert.equal(verifyXEdDsa(keys().open, message, signature), false);
    }
  });

  test('of impossible keys are refused and not feared', () => {
    for (const key of [Buffer.alloc(32), Buffer.alloc(32, 0xff), Buffer.from(`ec${'ff'.repeat(30)}7f`, 'hex')]) {
      assert.equal(verifyXEdDsa(key, Buffer.from('text'), randomBytes(64)), false);
    }
    assert.throws(() => verifyXEdDsa(Buffer.alloc(31), Buffer.alloc(1), Buffer.alloc(64)), TypeError);
    assert.throws(() => verifyXEdDsa(Buffer.alloc(32), Buffer.alloc(1), Buffer.alloc(63)), TypeError);
  });
});

describe('the light cache', () => {
  test('keeps and forgets like the one that it stands in for', () => {
    const cache = new LightCache({ stdTTL: 60 });
    cache.set('one', 1);
    assert.equal(cache.get('one'), 1);
    assert.equal(cache.del('one'), 1);
    assert.equal(cache.get('one'), undefined);
    cache.set(2, 'two');
    cache.flushAll();
    assert.equal(cache.get('2'), undefined);
  });

  test('does not grow without bound when values expire and nobody asks for them', async () => {
    const cache = new LightCache({ stdTTL: 0.005 });
    const fill = (from: number): void => {
      for (let key = from; key < from + 255; key += 1) cache.set(key, key);
    };
    fill(0);
    await eventually(() => cache.get(254) === undefined, 1_000);
    fill(255);
    assert.ok(cache.size < 300, `${cache.size} entries`);
  });
});
