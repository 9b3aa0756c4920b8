/**
 * The server's side of Noise_XX_25519_AESGCM_SHA256 as WhatsApp uses it: handshake payloads are protobuf
 * HandshakeMessages, nonces are 8 zero bytes and a 32-bit counter, the transport phase authenticates no extra data.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { KeyPair } from '../types.ts';
import { noisePrologue } from './frames.ts';
import { agree, newKeyPair, sha256, withoutKeyType } from './keys.ts';
import { proto } from './proto.ts';

const protocolName: Buffer = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0', 'latin1');
const tagBytes = 16;
const nothing: Buffer = Buffer.alloc(0);

/** What the client proved and told in the handshake. */
export interface HandshakeOutcome {
  /** The client's static key, 32 bytes: which device it is. */
  readonly noisePub: Buffer;
  readonly payload: proto.ClientPayload;
  readonly transport: NoiseTransport;
}

/** One handshake: `hello` with the client's first frame, then `finish` with its second. Throws on anything wrong. */
export class NoiseResponder {
  readonly #static: KeyPair;
  readonly #certificateChain: Uint8Array;
  readonly #ephemeral = newKeyPair();
  #hash = protocolName;
  #chainingKey = protocolName;
  #key = protocolName;
  #counter = 0;

  constructor(staticKey: KeyPair, certificateChain: Uint8Array) {
    this.#static = staticKey;
    this.#certificateChain = certificateChain;
    this.#authenticate(noisePrologue);
  }

  /** Answers the client's hello with the server's. */
  hello(frame: Uint8Array): Uint8Array {
    const clientEphemeral = proto.HandshakeMessage.decode(frame).clientHello?.ephemeral;
    if (clientEphemeral?.length !== 32) throw new Error('the client hello has no ephemeral key');
    this.#authenticate(clientEphemeral);
    const ephemeral = withoutKeyType(this.#ephemeral.pubKey);
    this.#authenticate(ephemeral);
    this.#mix(agree(this.#ephemeral.privKey, clientEphemeral));
    const encryptedStatic = this.#encrypt(withoutKeyType(this.#static.pubKey));
    this.#mix(agree(this.#static.privKey, clientEphemeral));
    const payload = this.#encrypt(this.#certificateChain);
    return proto.HandshakeMessage.encode({ serverHello: { ephemeral, static: encryptedStatic, payload } }).finish();
  }

  /** Reads the client's last handshake frame. */
  finish(frame: Uint8Array): HandshakeOutcome {
    const clientFinish = proto.HandshakeMessage.decode(frame).clientFinish;
    if (!clientFinish?.static || !clientFinish.payload) throw new Error('the client finish is incomplete');
    const noisePub = this.#decrypt(clientFinish.static);
    this.#mix(agree(this.#ephemeral.privKey, noisePub));
    const payload = proto.ClientPayload.decode(this.#decrypt(clientFinish.payload));
    const [receiveKey, sendKey] = this.#expand(nothing);
    return { noisePub, payload, transport: new NoiseTransport(receiveKey, sendKey) };
  }

  #authenticate(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data);
  }

  #mix(secret: Uint8Array): void {
    [this.#chainingKey, this.#key] = this.#expand(secret);
    this.#counter = 0;
  }

  #expand(secret: Uint8Array): [Buffer, Buffer] {
    const expanded = Buffer.from(hkdfSync('sha256', secret, this.#chainingKey, nothing, 64));
    return [expanded.subarray(0, 32), expanded.subarray(32)];
  }

  #encrypt(plaintext: Uint8Array): Buffer {
    const ciphertext = seal({ key: this.#key, counter: this.#counter++, aad: this.#hash }, plaintext);
    this.#authenticate(ciphertext);
    return ciphertext;
  }

  #decrypt(ciphertext: Uint8Array): Buffer {
    const plaintext = open({ key: this.#key, counter: this.#counter++, aad: this.#hash }, ciphertext);
    this.#authenticate(ciphertext);
    return plaintext;
  }
}

/** The encrypted stream after the handshake; each direction counts its frames, so order matters. */
export class NoiseTransport {
  readonly #receiveKey: Buffer;
  readonly #sendKey: Buffer;
  #received = 0;
  #sent = 0;

  constructor(receiveKey: Buffer, sendKey: Buffer) {
    this.#receiveKey = receiveKey;
    this.#sendKey = sendKey;
  }

  encrypt(plaintext: Uint8Array): Buffer {
    return seal({ key: this.#sendKey, counter: this.#sent++, aad: nothing }, plaintext);
  }

  /** Throws when the frame is corrupt or out of order. */
  decrypt(ciphertext: Uint8Array): Buffer {
    return open({ key: this.#receiveKey, counter: this.#received++, aad: nothing }, ciphertext);
  }
}

interface Cipher {
  readonly key: Buffer;
  readonly counter: number;
  readonly aad: Buffer;
}

function nonce(counter: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}

function seal(cipher: Cipher, plaintext: Uint8Array): Buffer {
  const gcm = createCipheriv('aes-256-gcm', cipher.key, nonce(cipher.counter)).setAAD(cipher.aad);
  return Buffer.concat([gcm.update(plaintext), gcm.final(), gcm.getAuthTag()]);
}

function open(cipher: Cipher, ciphertext: Uint8Array): Buffer {
  const end = ciphertext.length - tagBytes;
  if (end < 0) throw new Error('the ciphertext is too short');
  const gcm = createDecipheriv('aes-256-gcm', cipher.key, nonce(cipher.counter)).setAAD(cipher.aad);
  gcm.setAuthTag(ciphertext.subarray(end));
  return Buffer.concat([gcm.update(ciphertext.subarray(0, end)), gcm.final()]);
}
