import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { deserialize } from 'node:v8';
import { nameOfKey, parseEncryptionKeys } from '../../src/config-encryption.ts';
import { ValueProblem } from '../../src/config-variables.ts';
import { keyIdOf, open, seal } from '../../src/store/envelope.ts';
import { MasterKeys } from '../../src/store/master-keys.ts';
import { readBaileysFolder } from '../../src/transfer/baileys-folder.ts';
import { readSessionFile, SessionFileProblem, writeSessionFile } from '../../src/transfer/session-file.ts';
import { at } from '../support/api-client.ts';
import { testKey } from '../support/test-keys.ts';

describe('an encrypted record', () => {
  const key = createSecretKey(randomBytes(32));
  const plaintext = Buffer.from('a secret');

  test('reads as documented, and never twice the same', () => {
    const [a, b] = [seal({ id: '7', key }, 'place', plaintext), seal({ id: '7', key }, 'place', plaintext)];
    assert.deepEqual([a[0], a[1], a.toString('latin1', 2, 3)], [1, 1, '7']);
    assert.equal(a.length, 3 + 12 + plaintext.length + 16);
    assert.equal(keyIdOf(a), '7');
    assert.notDeepEqual(a, b);
    assert.deepEqual(open(key, 'place', a), plaintext);
    assert.deepEqual(open(key, 'place', seal({ id: '7', key }, 'place', Buffer.alloc(0))), Buffer.alloc(0));
  });

  test('opens only at its place, with its key, and unchanged', () => {
    const sealed = seal({ id: '7', key }, 'place', plaintext);
    assert.equal(open(key, 'other place', sealed), null);
    assert.equal(open(createSecretKey(randomBytes(32)), 'place', sealed), null);
    for (let index = 3; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 0x80;
      assert.equal(open(key, 'place', changed), null, `byte ${index}`);
    }
    for (let length = 0; length < sealed.length; length += 1) {
      assert.equal(open(key, 'place', sealed.subarray(0, length)), null, `${length} bytes`);
    }
  });

  test('is found in the middle of a larger buffer', () => {
    const sealed = seal({ id: '42', key }, 'place', plaintext);
    const view = Buffer.concat([randomBytes(5), sealed, randomBytes(5)]).subarray(5, 5 + sealed.length);
    assert.equal(keyIdOf(view), '42');
    assert.deepEqual(open(key, 'place', view), plaintext);
  });
});

describe('the key of a session', () => {
  test('is wrapped by the first key, unwrapped by any, and belongs to its session', () => {
    const { row } = new MasterKeys([testKey('old')]).create('shop');
    assert.equal(row.kekId, 'old');
    const both = new MasterKeys([testKey('new'), testKey('old')]);
    assert.ok(both.unwrap(row) !== null);
    assert.equal(both.unwrap({ ...row, owner: 'other' }), null);
    assert.equal(both.unwrap({ ...row, kekId: 'new' }), null);
    assert.equal(new MasterKeys([testKey('new')]).unwrap(row), null);
    const next = both.rewrap(row);
    assert.ok(next !== null && next !== 'unchanged');
    assert.equal(next.kekId, 'new');
    assert.equal(both.rewrap(next), 'unchanged');
    assert.ok(
      new MasterKeys([testKey('new')]).unwrap(next)?.equals(both.unwrap(row) ?? createSecretKey(randomBytes(32))),
    );
    assert.equal(new MasterKeys([testKey('new')]).rewrap(row), null);
  });

  test('is wrapped anew, too, when another key has taken the name of the old one', () => {
    const { row } = new MasterKeys([{ ...testKey('a'), id: 'main' }]).create('shop');
    const next = new MasterKeys([{ ...testKey('b'), id: 'main' }, testKey('a')]).rewrap(row);
    assert.ok(next !== null && next !== 'unchanged');
    assert.ok(new MasterKeys([testKey('b')]).unwrap(next) !== null);
  });
});

describe('ENCRYPTION_KEY', () => {
  const bytes = randomBytes(32);

  test('is 32 bytes in hex or base64, or a list of them with ids', () => {
    for (const text of [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]) {
      assert.deepEqual(parseEncryptionKeys(text), [{ id: nameOfKey(bytes), bytes }]);
    }
    assert.deepEqual(parseEncryptionKeys(`2026:${bytes.toString('base64')}`), [{ id: '2026', bytes }]);
    const other = Buffer.from(testKey('x').bytes);
    assert.deepEqual(
      parseEncryptionKeys(`2026:${bytes.toString('hex')}, ${other.toString('base64')}`).map(({ id }) => id),
      ['2026', nameOfKey(other)],
    );
  });

  test('is refused when it is something else, or can be guessed', () => {
    const same = `a:${bytes.toString('hex')},a:${Buffer.from(testKey('x').bytes).toString('hex')}`;
    for (const text of [
      '',
      'secret',
      '0'.repeat(64),
      bytes.subarray(1).toString('base64'),
      `x y:${bytes.toString('hex')}`,
      same,
    ]) {
      assert.throws(() => parseEncryptionKeys(text), ValueProblem, text);
    }
  });
});

describe('the file of a session', () => {
  const passphrase = 'correct horse battery';

  test('gives its content back to who knows the passphrase, however its accents are typed', async () => {
    const file = await writeSessionFile('{"a":1}', 'pass\u00e9 compos\u00e9');
    assert.equal(await readSessionFile(file, 'passe\u0301 compose\u0301'), '{"a":1}');
    assert.equal(file.includes('"a"'), false);
  });

  test('tells a wrong passphrase from a file that is damaged, cut off, too long, foreign or newer', async () => {
    const file = await writeSessionFile('content '.repeat(50), passphrase);
    const fieldOf = async (bytes: Buffer, phrase = passphrase) => {
      const error: unknown = await readSessionFile(bytes, phrase).catch((thrown: unknown) => thrown);
      return error instanceof SessionFileProblem ? error.field : error;
    };
    const changed = (index: number): Buffer => {
      const copy = Buffer.from(file);
      copy[index] = (copy[index] ?? 0) ^ 1;
      return copy;
    };
    assert.equal(await fieldOf(file, 'wrong horse battery'), 'passphrase');
    assert.equal(await fieldOf(changed(file.length - 1)), 'file');
    assert.equal(await fieldOf(changed(file.length - 20)), 'file');
    assert.equal(await fieldOf(changed(0)), 'file');
    assert.equal(await fieldOf(changed(13)), 'file');
    for (const length of [0, 5, 14, 60, file.length - 1]) assert.equal(await fieldOf(file.subarray(0, length)), 'file');
    assert.equal(await fieldOf(Buffer.concat([file, Buffer.from('x')])), 'file');
  });
});

describe('a Baileys folder', () => {
  const buffer = (value: Uint8Array) => ({ type: 'Buffer', data: Buffer.from(value).toString('base64') });
  const pair = () => ({ public: buffer(randomBytes(32)), private: buffer(randomBytes(32)) });
  const signature = randomBytes(64);
  const creds = {
    noiseKey: pair(),
    signedIdentityKey: pair(),
    signedPreKey: { keyPair: pair(), signature: buffer(randomBytes(64)), keyId: 1 },
    registrationId: 5,
    advSecretKey: randomBytes(32).toString('base64'),
    me: { id: '15550001111:3@s.whatsapp.net' },
    account: { details: 'CAE=', accountSignature: signature.toString('base64') },
  };
  const whole = { 'creds.json': JSON.stringify(creds) };

  test('gives each key under the id that its file name stands for', () => {
    const ids: Readonly<Record<string, readonly [type: string, id: string]>> = {
      'pre-key-12.json': ['pre-key', '12'],
      'session-15550001111_1.0.json': ['session', '15550001111_1.0'],
      'sender-key-15550001111-1600000000@g.us--15551112222_1--0.json': [
        'sender-key',
        '15550001111-1600000000@g.us::15551112222_1::0',
      ],
      'sender-key-memory-120363000000000001@g.us.json': ['sender-key-memory', '120363000000000001@g.us'],
      'app-state-sync-key-AAAA__b+8=.json': ['app-state-sync-key', 'AAAA/b+8='],
      'app-state-sync-version-critical_unblock_low.json': ['app-state-sync-version', 'critical_unblock_low'],
      'lid-mapping-15550001111.json': ['lid-mapping', '15550001111'],
      'lid-mapping-99000000001_reverse.json': ['lid-mapping', '99000000001_reverse'],
      'device-list-15550001111.json': ['device-list', '15550001111'],
      'tctoken-99000000001@lid.json': ['tctoken', '99000000001@lid'],
      'identity-key-15550001111.0.json': ['identity-key', '15550001111.0'],
    };
    const valueOf = (type: string): unknown =>
      ({ 'pre-key': pair(), 'lid-mapping': '99000000001', 'device-list': ['0'] })[type] ?? buffer(randomBytes(5));
    const files = Object.fromEntries(
      Object.entries(ids).map(([file, [type]]) => [file, JSON.stringify(valueOf(type))]),
    );
    const read = readBaileysFolder({ ...whole, ...files });
    assert.ok(read.tag === 'session', JSON.stringify(read));
    assert.deepEqual(
      read.session.keys.map(({ type, id }) => [type, id]),
      Object.values(ids),
    );
  });

  test('gives bytes as bytes', () => {
    const read = readBaileysFolder({ ...whole, 'pre-key-1.json': JSON.stringify(pair()) });
    assert.ok(read.tag === 'session');
    const restored: unknown = deserialize(read.session.creds);
    assert.deepEqual(at(restored, 'account', 'accountSignature'), signature);
    assert.ok(at(restored, 'noiseKey', 'private') instanceof Uint8Array);
    const preKey: unknown = deserialize(read.session.keys[0]?.value ?? Buffer.alloc(0));
    assert.ok(at(preKey, 'private') instanceof Uint8Array);
  });

  test('is refused with every file that is wrong', () => {
    const read = readBaileysFolder({
      'pre-key-1.json': '{"public":',
      'pre-key-2.json': '{"public": "x"}',
      'lid-mapping-1.json': '{}',
      'notes.txt': 'hello',
      'session-.json': '{}',
      'session-15550001111.0.json': 'null',
    });
    assert.ok(read.tag === 'problems');
    assert.deepEqual(
      read.problems.map(({ file }) => file),
      [
        'creds.json',
        'pre-key-1.json',
        'pre-key-2.json',
        'lid-mapping-1.json',
        'notes.txt',
        'session-.json',
        'session-15550001111.0.json',
      ],
    );
  });

  test('of an account that is not paired is of no use', () => {
    const read = readBaileysFolder({ 'creds.json': JSON.stringify({ ...creds, me: undefined, account: undefined }) });
    assert.ok(read.tag === 'problems');
    assert.match(read.problems[0]?.expected ?? '', /paired/);
  });
});
