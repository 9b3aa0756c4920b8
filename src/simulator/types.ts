/**
 * Where the parts of the simulator meet: the people it knows, the connections it holds, and what the messaging part
 * must offer. Helpers that go with these types: `wire/node.ts` (reading and building nodes), `jid.ts` (addresses),
 * `wire/proto.ts` (WhatsApp's protobuf types), `wire/keys.ts` (key forms).
 */
import type { Clock } from '../clock.ts';
import type { MediaDepot } from './media/media-depot.ts';
import type { MessageTimes } from './message-times.ts';

export type { Clock } from '../clock.ts';

/** A stanza. Attribute values must be strings: the codec skips others and corrupts the list size. */
export interface BinaryNode {
  tag: string;
  attrs: Record<string, string>;
  content?: BinaryNode[] | string | Uint8Array;
}

/** A Curve25519 pair in the Signal engine's form: the public key has 33 bytes with its leading 05. */
export interface KeyPair {
  readonly pubKey: Uint8Array;
  readonly privKey: Uint8Array;
}

export interface SignedKeyPair {
  readonly keyId: number;
  readonly keyPair: KeyPair;
  readonly signature: Uint8Array;
}

/** What one needs to open a Signal session with a device. Public keys have 32 bytes, without 05, as on the wire. */
export interface PreKeyBundle {
  readonly registrationId: number;
  readonly identityKey: Uint8Array;
  readonly signedPreKey: { readonly keyId: number; readonly publicKey: Uint8Array; readonly signature: Uint8Array };
  /** Absent when the device has no one-time key left. */
  readonly preKey?: { readonly keyId: number; readonly publicKey: Uint8Array };
}

/**
 * Somebody on WhatsApp. `account`: a number whose simulated phone has linked (or had linked) gateway sessions as
 * companions; `contact`: a virtual person. Either way device 0 is simulated here and has the keys below. A contact
 * becomes an account when somebody scans a QR code with its phone. Change users with `Directory.change` only.
 */
export interface User {
  /** Phone number, digits. */
  readonly pn: string;
  /** LID, digits. */
  readonly lid: string;
  readonly kind: 'account' | 'contact';
  /** The push name. */
  readonly name: string;
  /** Whether the number is on WhatsApp at all. */
  readonly registered: boolean;
  /** Signal identity of device 0; of an account also the key that signs its companions. */
  readonly identity: KeyPair;
  readonly registrationId: number;
  /** Signed pre-key of device 0. */
  readonly signedPreKey: SignedKeyPair;
  /** Linked companions (gateway sessions) by device id; device 0 is not among them. */
  readonly devices: ReadonlyMap<number, Device>;
}

/** A linked companion: a gateway session. */
export interface Device {
  readonly user: User;
  /** 1 to 99. */
  readonly id: number;
  /** `<pn>:<id>@s.whatsapp.net` */
  readonly jid: string;
  /** `<lid>:<id>@lid` */
  readonly lid: string;
  /** Greater than 0: Baileys ignores companions with key index 0. */
  readonly keyIndex: number;
  /** Noise static key, 32 bytes: identifies the device at login. */
  readonly noisePub: Uint8Array;
  /** Signal identity, 32 bytes. */
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
}

export interface NewUser {
  readonly pn: string;
  readonly kind: User['kind'];
  readonly name?: string;
  readonly registered?: boolean;
}

export interface UserChange {
  readonly kind?: User['kind'];
  readonly name?: string;
  readonly registered?: boolean;
}

/** Everybody on this WhatsApp. Users and devices are the same objects for the life of the process. */
export interface Directory {
  users(): IterableIterator<User>;
  byPn(pn: string): User | undefined;
  byLid(lid: string): User | undefined;
  /** By any JID of the user: PN or LID, with or without device, also bare digits of a phone number. */
  byJid(jid: string): User | undefined;
  /** The linked companion with this JID (PN or LID form); undefined for device 0 and unknown or removed devices. */
  device(jid: string): Device | undefined;
  /** Creates the user; answers the existing one when the number is taken. */
  create(user: NewUser): User;
  change(user: User, change: UserChange): void;
  /** The user has WhatsApp on a new phone: another identity, registration id and signed pre-key. */
  reinstall(user: User): void;
  /**
   * Bundle of a companion, one one-time key consumed; asks the companion for more keys when few are left. For device
   * 0 of a user see `Messaging.phoneBundle`.
   */
  takeBundle(device: Device): PreKeyBundle;
}

/** A logged-in client. */
export interface Connection {
  readonly device: Device;
  /** False once closed by either side. */
  readonly isOpen: boolean;
  /**
   * Sends in call order; answers false when the connection is closed (the node is lost then). A fault may swallow the
   * node: what must arrive has to be queued until it is acknowledged.
   */
  send(node: BinaryNode): boolean;
  /** Closes the WebSocket without a word. */
  close(): void;
}

export interface Connections {
  /** The live connection of this companion. */
  of(device: Device): Connection | undefined;
  all(): IterableIterator<Connection>;
}

/** Answers one kind of stanza of logged-in clients. Per connection `handle` runs one at a time, in arrival order. */
export interface Flow {
  readonly name: string;
  handles(node: BinaryNode, connection: Connection): boolean;
  handle(node: BinaryNode, connection: Connection): Promise<void>;
}

/** The faults that messaging asks for; those of links are applied below it. Each `take…` uses the fault up by one. */
export interface Faults {
  /** Error code with which the next message of this account is refused (`refuse_send`), or null. */
  takeSendRefusal(user: User): number | null;
  /** Whether the acknowledgement of this message is to be left out (`drop_acks`). */
  takeDroppedAck(user: User): boolean;
  /** Whether the next copy of a message for this account is to be damaged (`garble`). */
  takeGarbled(user: User): boolean;
  /** Milliseconds by which acknowledgements are late (`slow_acks`), 0 normally. */
  ackDelayMs(user: User): number;
}

/** One use of a ratchet key, read from the clear header of a whisper message. */
export interface RatchetPosition {
  /** JID of the sending companion. */
  readonly sender: string;
  readonly ratchetKey: Uint8Array;
  readonly counter: number;
  /** The whisper message itself (of a pkmsg: the inner one). */
  readonly ciphertext: Uint8Array;
}

/** What the simulator saw, per account (`user` is the account that is judged). */
export interface Oracle {
  /** A stanza that no flow understands; `description` names tag, type and xmlns, never content. */
  unknownStanza(user: User | null, description: string): void;
  handshake(user: User | null): void;
  login(user: User): void;
  /** A message stanza of this account arrived; `id` is null for one that was asked for again and for peer messages. */
  received(user: User, id: string | null): void;
  /** A message stanza goes out to this device, for the first time or again. */
  offered(device: Device, id: string): void;
  /** The device says that it has these messages, by a delivery receipt or an acknowledgement. */
  confirmed(device: Device, ids: readonly string[]): void;
  /** A stanza went to a device and must be answered by ack or receipt. `key` is unique per device and stanza. */
  awaiting(device: Device, key: string): void;
  answered(device: Device, key: string): void;
  /** This account's device has confirmed a message. */
  delivered(user: User): void;
  ratchetPosition(user: User, position: RatchetPosition): void;
  /** Somebody could not read the media of a message of this account; `description` has message id and reason. */
  unreadableMedia(user: User, description: string): void;
  /** Ids of the account's messages in the order in which each came for the first time. */
  arrivals(user: User): readonly string[];
  report(user: User): OracleReport;
  total(): OracleReport;
}

/** Field names of the sandbox API's oracle, and `resent_ciphertexts` beside it. */
export interface OracleReport {
  readonly unknown_stanzas: readonly string[];
  readonly unacknowledged_stanzas: number;
  /** The same ratchet position with another ciphertext: a reused message key. */
  readonly repeated_ratchet_positions: number;
  /** The same ratchet position with the same bytes: an idempotent re-send. */
  readonly resent_ciphertexts: number;
  /** `<message id> <reason>` of media that did not hold what its message says. */
  readonly unreadable_media: readonly string[];
  readonly handshakes: number;
  readonly logins: number;
  /** Messages that came from the account's sessions. */
  readonly received_messages: number;
  /** Of those, the ones under an id that had come before and that nobody had asked for again. */
  readonly repeated_messages: number;
  /** Confirmations of messages that had not been sent to the device that confirms them. */
  readonly unfounded_confirmations: number;
  /** Messages that the account's sessions have confirmed. */
  readonly delivered_messages: number;
}

/**
 * Persistence: values by kind and key, written through before the call returns, so that they survive kill -9. In
 * memory when the simulator has no state directory.
 */
export interface Records {
  get(kind: string, key: string): Uint8Array | undefined;
  put(kind: string, key: string, value: Uint8Array): void;
  delete(kind: string, key: string): void;
  /** All of a kind whose key begins with `prefix`, ordered by key. */
  list(kind: string, prefix?: string): { readonly key: string; readonly value: Uint8Array }[];
}

export interface ControlRequest {
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed JSON body, undefined when there was none. */
  readonly body: unknown;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Sent as it is instead of `body`. */
  readonly file?: { readonly contentType: string; readonly bytes: Uint8Array };
}

/**
 * A route of the control API. Failures: throw `WardenError` (its code and sentence become `{error:{type, message}}`);
 * a ZodError becomes 400 `invalid_request`.
 */
export interface ControlRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As `/accounts/:phone/messages`; literal segments win over parameters. */
  readonly path: string;
  /** Answered without the token: for what clients fetch. */
  readonly isPublic?: boolean;
  handle(request: ControlRequest): Promise<ControlAnswer> | ControlAnswer;
}

/** What the wire part gives to messaging. */
export interface SimulatorContext {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly connections: Connections;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly records: Records;
  readonly media: MediaDepot;
  readonly times: MessageTimes;
  /** Who has to do with whom: they are told of each other's new devices, keys and pictures. */
  readonly watchers: {
    add(watched: User, watcher: User): void;
    /** The user itself first. */
    of(watched: User): readonly User[];
  };
  /**
   * Hands a notification or a call, which has an id, to a companion: kept until it is acknowledged, sent again at
   * login.
   */
  notify(device: Device, node: BinaryNode): void;
  /** Where the control API listens, without a slash at the end; for what clients fetch from the simulator. */
  controlUrl(): string;
  /** A fresh id for a stanza that the server begins (iq, notification). */
  stanzaId(): string;
  /**
   * The account whose phone has this number (digits, `+`, spaces and dashes allowed, or a JID). Fails with
   * `not_paired` when there is no such account.
   */
  account(phone: string): User;
}

/** What messaging gives to the wire part: made by `createMessaging(context)` in messaging.ts. */
export interface Messaging {
  /** Asked in order, after the wire part's own flows. */
  readonly flows: readonly Flow[];
  readonly controlRoutes: readonly ControlRoute[];
  /** The client has become active: sends the offline preview and the queue. */
  onLogin(connection: Connection): Promise<void>;
  onUserCreated?(user: User): void;
  /** A companion was unlinked: its queue goes. */
  onDeviceRemoved?(device: Device): void;
  /** Bundle of device 0 of a user; without it the bundle has the user's signed pre-key and no one-time key. */
  phoneBundle?(user: User): PreKeyBundle;
  /** Ends timers, and waits for what is being read. */
  close(): void | Promise<void>;
}
