/**
 * Sender keys of the simulated people: one for each group they write in, and those that they have been given by other
 * writers. Keys live in the records.
 */
import {
  GroupCipher,
  GroupSessionBuilder,
  ProtocolAddress,
  SenderKeyDistributionMessage,
  SenderKeyName,
  type SignalStorage,
} from 'whatsapp-rust-bridge';
import type { Decrypted, PeerAddress } from '../signal-engine.ts';
import type { Records, User } from '../types.ts';
import { pad, unpad } from './padding.ts';

/** Whose key of which group. */
export interface KeyOfWriter {
  readonly group: string;
  readonly writer: PeerAddress;
}

const KIND = 'sender-key';

export class SenderKeys {
  readonly #records: Records;
  /** The last operation of each key: the cipher reads and writes it in separate steps. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(records: Records) {
    this.#records = records;
  }

  /** The person's own key of a group at its present position, for those who are to read from here on. */
  async distribution(own: User, group: string): Promise<Uint8Array> {
    return this.#inTurn(own, { group, writer: ownAddress(own) }, async (storage, address) => {
      using builder = new GroupSessionBuilder(storage);
      using name = new SenderKeyName(group, address);
      using message = await builder.create(name);
      return message.serialize();
    });
  }

  /** Pads and encrypts a message protobuf with the person's own key, which `distribution` has made. */
  async encrypt(own: User, group: string, message: Uint8Array): Promise<Uint8Array> {
    return this.#inTurn(own, { group, writer: ownAddress(own) }, async (storage, address) => {
      using cipher = new GroupCipher(storage, group, address);
      // Awaited here: the cipher goes when this function returns.
      return await cipher.encrypt(pad(message));
    });
  }

  /** Takes in the key of another writer. Rejects when the bytes are no such key. */
  async accept(own: User, { group, writer }: KeyOfWriter, distribution: Uint8Array): Promise<void> {
    await this.#inTurn(own, { group, writer }, async (storage, address) => {
      using message = SenderKeyDistributionMessage.deserialize(distribution);
      using builder = new GroupSessionBuilder(storage);
      using name = new SenderKeyName(group, address);
      await builder.process(name, message);
    });
  }

  /** Decrypts to the message protobuf without padding. Never rejects for what the writer sent. */
  async decrypt(own: User, { group, writer }: KeyOfWriter, ciphertext: Uint8Array): Promise<Decrypted> {
    return this.#inTurn(own, { group, writer }, async (storage, address): Promise<Decrypted> => {
      try {
        using cipher = new GroupCipher(storage, group, address);
        return { tag: 'plaintext', plaintext: unpad(await cipher.decrypt(ciphertext)) };
      } catch (error) {
        const reason = String(error);
        return reason.includes('old counter') ? { tag: 'duplicate' } : { tag: 'undecryptable', reason };
      }
    });
  }

  /** Loses the person's own key of a group: the next message begins a new one. */
  forgetOwn(own: User, group: string): void {
    this.#records.delete(KIND, keyOf(own, group, ownAddress(own)));
  }

  /** Loses the keys that one writer (LID digits) has given to this person, of all its devices and groups. */
  forgetWriter(own: User, writer: string): void {
    for (const { key } of this.#records.list(KIND, `${own.lid}/`)) {
      const isOwn = key.endsWith(`/${own.lid}.0`);
      if (!isOwn && key.includes(`/${writer}.`)) this.#records.delete(KIND, key);
    }
  }

  /** Loses all keys of this person, its own ones as well. */
  forgetAll(own: User): void {
    for (const { key } of this.#records.list(KIND, `${own.lid}/`)) this.#records.delete(KIND, key);
  }

  async #inTurn<Result>(
    own: User,
    { group, writer }: KeyOfWriter,
    use: (storage: SignalStorage, address: ProtocolAddress) => Promise<Result>,
  ): Promise<Result> {
    const key = keyOf(own, group, writer);
    const previous = this.#turns.get(key) ?? Promise.resolve();
    const turn = previous.then(async () => {
      using address = new ProtocolAddress(writer.lid, writer.device);
      return await use(this.#storage(own, key), address);
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

  #storage(own: User, key: string): SignalStorage {
    return {
      loadSenderKey: () => this.#records.get(KIND, key),
      storeSenderKey: (_id: string, record: Uint8Array) => {
        this.#records.put(KIND, key, record);
      },
      getOurIdentity: () => own.identity,
      getOurRegistrationId: () => own.registrationId,
      isTrustedIdentity: () => true,
      loadSession: () => undefined,
      storeSession: () => undefined,
      loadPreKey: () => undefined,
      removePreKey: () => undefined,
      loadSignedPreKey: () => undefined,
    };
  }
}

function ownAddress(own: User): PeerAddress {
  return { lid: own.lid, device: 0 };
}

function keyOf(own: User, group: string, writer: PeerAddress): string {
  return `${own.lid}/${group}/${writer.lid}.${writer.device}`;
}
