import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { before, mock, test } from 'node:test';
import { trusted } from '../../src/contract/trusted.ts';

interface Pair {
  readonly pubKey: Buffer;
  readonly privKey: Buffer;
}

interface Cipher {
  encrypt(data: Buffer): Promise<{ readonly type: number; readonly body: Buffer }>;
  decryptWhisperMessage(data: Buffer): Promise<Buffer>;
  decryptPreKeyWhisperMessage(data: Buffer): Promise<Buffer>;
}

/** The part of libsignal that the test needs. */
interface Library {
  readonly SessionBuilder: new (storage: object, address: object) => { initOutgoing(bundle: object): Promise<void> };
  readonly SessionRecord: { deserialize(value: unknown): { serialize(): unknown } };
  readonly ProtocolAddress: new (user: string, device: number) => object;
  readonly curve: { generateKeyPair(): Pair };
  readonly keyhelper: {
    generateSignedPreKey(identity: Pair, id: number): { readonly keyPair: Pair; readonly signature: Buffer };
    generatePreKey(id: number): { readonly keyId: number; readonly keyPair: Pair };
  };
}

type CipherClass = new (storage: object, address: object) => Cipher;

const require = createRequire(import.meta.url);
const library = trusted<Library>(require('libsignal'));
const path = require.resolve('libsignal/src/session_cipher.js');

/** The library's cipher as the lean build makes it. */
async function mendedCipher(): Promise<CipherClass> {
  const mends: unknown = await import(new URL('../../../scripts/lean/mend-ratchet.mjs', import.meta.url).href);
  const { mendedRatchet } = trusted<{
    mendedRatchet: Readonly<Record<string, (source: string, file: string) => string>>;
  }>(mends);
  const file = 'libsignal/src/session_cipher.js';
  const source = mendedRatchet[file]?.(readFileSync(path, 'utf8'), file) ?? '';
  const module = new Module(path);
  module.filename = path;
  module.paths = [...(require.main?.paths ?? [])];
  trusted<{ _compile(text: string, name: string): void }>(module)._compile(source, path);
  return trusted<CipherClass>(module.exports);
}

/** Somebody with keys and one session record. */
class Device {
  readonly identity = library.curve.generateKeyPair();
  readonly signed = library.keyhelper.generateSignedPreKey(this.identity, 1);
  readonly oneTime = new Map<number, Pair>();
  readonly #address: object;
  readonly #cipherClass: CipherClass;
  #record: unknown = null;

  constructor(name: string, cipherClass: CipherClass) {
    this.#address = new library.ProtocolAddress(name, 0);
    this.#cipherClass = cipherClass;
  }

  bundle(): object {
    const preKey = library.keyhelper.generatePreKey(this.oneTime.size + 1);
    this.oneTime.set(preKey.keyId, preKey.keyPair);
    return {
      registrationId: 1,
      identityKey: this.identity.pubKey,
      signedPreKey: { keyId: 1, publicKey: this.signed.keyPair.pubKey, signature: this.signed.signature },
      preKey: { keyId: preKey.keyId, publicKey: preKey.keyPair.pubKey },
    };
  }

  open(bundle: object): Promise<void> {
    return new library.SessionBuilder(this.#storage(), this.#address).initOutgoing(bundle);
  }

  write(text: string) {
    return this.#cipher().encrypt(Buffer.from(text));
  }

  async read({ type, body }: { readonly type: number; readonly body: Buffer }): Promise<string> {
    const cipher = this.#cipher();
    const plaintext =
      type === 3 ? await cipher.decryptPreKeyWhisperMessage(body) : await cipher.decryptWhisperMessage(body);
    return plaintext.toString();
  }

  #cipher(): Cipher {
    return new this.#cipherClass(this.#storage(), this.#address);
  }

  #storage(): object {
    return {
      isTrustedIdentity: () => true,
      loadSession: async () => (this.#record === null ? undefined : library.SessionRecord.deserialize(this.#record)),
      storeSession: async (_address: string, record: { serialize(): unknown }) => {
        this.#record = record.serialize();
      },
      getOurIdentity: () => this.identity,
      getOurRegistrationId: () => 1,
      loadPreKey: (id: number) => this.oneTime.get(id),
      removePreKey: (id: number) => this.oneTime.delete(id),
      loadSignedPreKey: () => this.signed.keyPair,
    };
  }
}

/** A message of the session before crosses one that begins a new session; answers what the next one says to its reader. */
async function crossing(cipherClass: CipherClass): Promise<string> {
  const [ada, bob] = [new Device('bob', cipherClass), new Device('ada', cipherClass)];
  await ada.open(bob.bundle());
  await bob.read(await ada.write('first'));
  await ada.read(await bob.write('second'));
  const late = await bob.write('of the session before');
  await ada.open(bob.bundle());
  assert.equal(await ada.read(late), 'of the session before');
  return bob.read(await ada.write('of the new session'));
}

// The library prints whole sessions, keys included.
before(() => {
  for (const name of ['info', 'warn', 'error'] as const) mock.method(console, name, () => undefined);
});

test('a message of the session before does not spoil the new session', async () => {
  assert.equal(await crossing(await mendedCipher()), 'of the new session');
});

test('the library by itself spoils it, which is why the build mends it', async () => {
  await assert.rejects(crossing(trusted<CipherClass>(require(path))));
});
