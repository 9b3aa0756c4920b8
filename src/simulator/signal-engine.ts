/**
 * Signal sessions of the simulated people (device 0 of every user) with the devices of gateway sessions. Keys and
 * sessions live in the records; nothing here knows of stanzas or of what a message says.
 */
import { randomInt } from 'node:crypto';
import {
  generatePreKey,
  ProtocolAddress,
  SessionBuilder,
  SessionCipher,
  type SessionRecord,
  type SignalStorage,
} from 'whatsapp-rust-bridge';
import { pad, unpad } from './signal/padding.ts';
import type { KeyPair, PreKeyBundle, Records, User } from './types.ts';
import { withKeyType, withoutKeyType } from './wire/keys.ts';

/** The other side of a session: a device of a user, always named by its LID. */
export interface PeerAddress {
  readonly lid: string;
  readonly device: number;
}

export interface Encrypted {
  readonly type: 'pkmsg' | 'msg';
  readonly ciphertext: Uint8Array;
}

export type Decrypted =
  | { readonly tag: 'plaintext'; readonly plaintext: Uint8Array }
  /** This very ciphertext has been decrypted before. */
  | { readonly tag: 'duplicate' }
  | { readonly tag: 'undecryptable'; readonly reason: string };

const SESSIONS = 'signal-session';
const PRE_KEYS = 'signal-pre-key';
const PUBLIC_KEY_BYTES = 33;
/** Key ids have three bytes on the wire. */
const PRE_KEY_IDS = 2 ** 24;
/** The engine's number of a pre-key message; a whisper message has another. */
const PRE_KEY_MESSAGE = 3;

export class SignalEngine {
  readonly #records: Records;
  /** The last operation of each session: the engine reads and writes a session in separate steps. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(records: Records) {
    this.#records = records;
  }

  hasSession(own: User, peer: PeerAddress): boolean {
    return this.#records.get(SESSIONS, sessionKey(own, peer)) !== undefined;
  }

  /** Opens a session from the peer's bundle; an existing one is replaced for sending and kept for what is under way. */
  async openSession(own: User, peer: PeerAddress, bundle: PreKeyBundle): Promise<void> {
    await this.#inTurn(own, peer, async (storage, address) => {
      const builder = new SessionBuilder(storage, address);
      try {
        await builder.initOutgoing({
          registrationId: bundle.registrationId,
          identityKey: withKeyType(bundle.identityKey),
          signedPreKey: { ...bundle.signedPreKey, publicKey: withKeyType(bundle.signedPreKey.publicKey) },
          preKey:
            bundle.preKey === undefined
              ? undefined
              : { keyId: bundle.preKey.keyId, publicKey: withKeyType(bundle.preKey.publicKey) },
        });
      } finally {
        builder.free();
      }
    });
  }

  /** Pads and encrypts a message protobuf. There must be a session; it stays `pkmsg` until the peer has answered. */
  async encrypt(own: User, peer: PeerAddress, message: Uint8Array): Promise<Encrypted> {
    return this.#withCipher(own, peer, async (cipher) => {
      const { type, body } = await cipher.encrypt(pad(message));
      return { type: type === PRE_KEY_MESSAGE ? 'pkmsg' : 'msg', ciphertext: body };
    });
  }

  /** Decrypts to the message protobuf without padding. Never rejects for what the peer sent. */
  async decrypt(own: User, peer: PeerAddress, encrypted: { type: string; ciphertext: Uint8Array }): Promise<Decrypted> {
    return this.#withCipher(own, peer, async (cipher): Promise<Decrypted> => {
      try {
        const padded =
          encrypted.type === 'pkmsg'
            ? await cipher.decryptPreKeyWhisperMessage(encrypted.ciphertext)
            : await cipher.decryptWhisperMessage(encrypted.ciphertext);
        return { tag: 'plaintext', plaintext: unpad(padded) };
      } catch (error) {
        const reason = String(error);
        return reason.includes('DuplicatedMessage') ? { tag: 'duplicate' } : { tag: 'undecryptable', reason };
      }
    });
  }

  /** The bundle of a user's device 0, with a one-time key of its own that is kept until somebody uses it. */
  bundle(own: User): PreKeyBundle {
    const keyId = randomInt(1, PRE_KEY_IDS);
    const { keyPair } = generatePreKey(keyId);
    this.#records.put(PRE_KEYS, preKeyKey(own, keyId), Buffer.concat([keyPair.pubKey, keyPair.privKey]));
    return {
      registrationId: own.registrationId,
      identityKey: withoutKeyType(own.identity.pubKey),
      signedPreKey: {
        keyId: own.signedPreKey.keyId,
        publicKey: withoutKeyType(own.signedPreKey.keyPair.pubKey),
        signature: own.signedPreKey.signature,
      },
      preKey: { keyId, publicKey: withoutKeyType(keyPair.pubKey) },
    };
  }

  /** Loses the user's sessions with one device of the peer, or with all of them. */
  forget(own: User, peer: { readonly lid: string; readonly device?: number }): void {
    const prefix = `${own.lid}/${peer.lid}.${peer.device ?? ''}`;
    for (const { key } of this.#records.list(SESSIONS, prefix)) {
      if (peer.device === undefined || key === prefix) this.#records.delete(SESSIONS, key);
    }
  }

  /** Loses everything that is not the user's identity: sessions with everybody, and one-time keys. */
  forgetAll(own: User): void {
    for (const kind of [SESSIONS, PRE_KEYS]) {
      for (const { key } of this.#records.list(kind, `${own.lid}/`)) this.#records.delete(kind, key);
    }
  }

  async #withCipher<Result>(
    own: User,
    peer: PeerAddress,
    use: (cipher: SessionCipher) => Promise<Result>,
  ): Promise<Result> {
    return this.#inTurn(own, peer, async (storage, address) => {
      // A cipher keeps the session it has read once: each use needs its own.
      const cipher = new SessionCipher(storage, address);
      try {
        return await use(cipher);
      } finally {
        cipher.free();
      }
    });
  }

  async #inTurn<Result>(
    own: User,
    peer: PeerAddress,
    use: (storage: SignalStorage, address: ProtocolAddress) => Promise<Result>,
  ): Promise<Result> {
    const key = sessionKey(own, peer);
    const previous = this.#turns.get(key) ?? Promise.resolve();
    const turn = previous.then(async () => {
      const address = new ProtocolAddress(peer.lid, peer.device);
      try {
        return await use(this.#storage(own, key), address);
      } finally {
        address.free();
      }
    });
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    }
  }

  #storage(own: User, session: string): SignalStorage {
    return {
      loadSession: () => this.#records.get(SESSIONS, session),
      storeSession: (_address: string, record: SessionRecord) => {
        this.#records.put(SESSIONS, session, record.serialize());
      },
      getOurIdentity: () => own.identity,
      getOurRegistrationId: () => own.registrationId,
      // A linked session that is paired anew has a new identity under its old address.
      isTrustedIdentity: () => true,
      loadPreKey: (id) => this.#preKey(own, id),
      removePreKey: (id) => {
        this.#records.delete(PRE_KEYS, preKeyKey(own, id));
      },
      loadSignedPreKey: (id) => (id === own.signedPreKey.keyId ? own.signedPreKey : undefined),
      loadSenderKey: () => undefined,
      storeSenderKey: () => undefined,
    };
  }

  #preKey(own: User, id: number): KeyPair | undefined {
    const stored = this.#records.get(PRE_KEYS, preKeyKey(own, id));
    if (stored === undefined) return undefined;
    return { pubKey: stored.subarray(0, PUBLIC_KEY_BYTES), privKey: stored.subarray(PUBLIC_KEY_BYTES) };
  }
}

function sessionKey(own: User, peer: PeerAddress): string {
  return `${own.lid}/${peer.lid}.${peer.device}`;
}

function preKeyKey(own: User, id: number): string {
  return `${own.lid}/${id}`;
}
