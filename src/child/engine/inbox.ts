/**
 * The inbox: every decrypted message, stanza and plaintext, from the moment its ratchet step is committed until the
 * store has recorded it; and a note of each one that could not be decrypted, until it has come after all or has been
 * told as lost. After a crash the entries that are left are read back.
 */
import {
  cleanMessage,
  decodeMessageNode,
  proto,
  unpadRandomMax16,
  type BinaryNode,
  type SignalDataSet,
  type SignalKeyStore,
  type WAMessage,
} from '@whiskeysockets/baileys';
import type { InboxEntry } from '../../contract/ipc.ts';
import { trusted } from '../../contract/trusted.ts';
import { keptPlaintext } from './fitting-message.ts';
import { readValue, writeValue } from './values.ts';

/** The key type under which entries travel with the Signal keys. */
const inboxType = 'inbox';

const longestAttribute = 4096;

interface InboxValue {
  readonly tag: string;
  readonly attrs: Record<string, string>;
  /** Null for a message that could not be decrypted. */
  readonly plaintext: Uint8Array | null;
}

export interface InboxWriter {
  /** Adds the plaintext of `ciphertext` to the transaction that is open on `keys`. */
  keep(keys: SignalKeyStore, ciphertext: Uint8Array, plaintext: Uint8Array): Promise<void>;
  /** The plaintext of this very stanza, when an earlier child decrypted it and ended before WhatsApp heard of it. */
  known(ciphertext: Uint8Array): Uint8Array | null;
  /** Writes down that `ciphertext` could not be decrypted, before WhatsApp is told so. */
  note(keys: SignalKeyStore, ciphertext: Uint8Array): Promise<void>;
}

interface InboxListener {
  /** Whether a message that cannot be decrypted is to be noted. */
  mayNote(messageId: string): boolean;
  noted(entry: InboxEntry): void;
}

interface Stanza {
  readonly node: BinaryNode;
  readonly index: number;
}

export class Inbox implements InboxWriter {
  /** Ciphertext, as the object the decoder made, → the stanza it came in. */
  readonly #stanzas = new WeakMap<Uint8Array, Stanza>();
  /** Message id → the entries that hold parts of it. */
  readonly #open = new Map<string, Set<string>>();
  /** Entry → plaintext, of what an earlier child left. */
  readonly #left = new Map<string, Uint8Array>();
  readonly #on: InboxListener;

  constructor(left: readonly InboxEntry[], on: InboxListener) {
    this.#on = on;
    for (const { id, value } of left) {
      const { plaintext } = readValue<InboxValue>(value);
      if (plaintext !== null) this.#left.set(id, plaintext);
    }
  }

  /** Learns of a `<message>` stanza before the library decrypts it. */
  expect(node: BinaryNode): void {
    if (!Array.isArray(node.content)) return;
    node.content.forEach((child, index) => {
      if (child.tag === 'enc' && child.content instanceof Uint8Array) this.#stanzas.set(child.content, { node, index });
    });
  }

  async keep(keys: SignalKeyStore, ciphertext: Uint8Array, plaintext: Uint8Array): Promise<void> {
    const stanza = this.#stanzas.get(ciphertext);
    if (stanza === undefined) return;
    const messageId = stanza.node.attrs['id'] ?? '';
    const id = entryOf(stanza);
    const entries = this.#open.get(messageId) ?? new Set();
    this.#open.set(messageId, entries.add(id));
    await keys.set(inboxMutation(id, valueOf(stanza, keptPlaintext(plaintext))));
  }

  known(ciphertext: Uint8Array): Uint8Array | null {
    const stanza = this.#stanzas.get(ciphertext);
    return stanza === undefined ? null : (this.#left.get(entryOf(stanza)) ?? null);
  }

  async note(keys: SignalKeyStore, ciphertext: Uint8Array): Promise<void> {
    const stanza = this.#stanzas.get(ciphertext);
    if (stanza === undefined || !this.#on.mayNote(stanza.node.attrs['id'] ?? '')) return;
    const id = `${entryOf(stanza)}|undecryptable`;
    const value = valueOf(stanza, null);
    await keys.set(inboxMutation(id, value));
    this.#on.noted({ id, value: writeValue(value) });
  }

  /** The entries of a message that is about to be recorded, to be settled with it. */
  take(messageId: string): readonly string[] {
    const entries = this.#open.get(messageId);
    this.#open.delete(messageId);
    return entries === undefined ? [] : [...entries];
  }
}

function entryOf({ node, index }: Stanza): string {
  const { id = '', from = '', participant = '' } = node.attrs;
  return `${id}|${from}|${participant}|${index}`;
}

function valueOf({ node }: Stanza, plaintext: Uint8Array | null): InboxValue {
  // The sender's name is among them, as long as it likes.
  const attrs = Object.entries(node.attrs).map(([name, value]) => [name, value.slice(0, longestAttribute)] as const);
  return { tag: node.tag, attrs: Object.fromEntries(attrs), plaintext };
}

/** A message out of the inbox of an earlier child, as the library would have told it. */
export interface RecoveredMessage {
  readonly message: WAMessage;
  readonly isBackfill: boolean;
}

/** Reads an entry back; without content for a message that could not be decrypted. */
export function recoverMessage(
  entry: InboxEntry,
  me: { readonly id: string; readonly lid: string },
): RecoveredMessage & { readonly isDecrypted: boolean } {
  const { tag, attrs, plaintext } = readValue<InboxValue>(entry.value);
  const node: BinaryNode = { tag, attrs };
  const { fullMessage } = decodeMessageNode(node, me.id, me.lid);
  if (plaintext !== null) {
    const decoded = proto.Message.decode(unpadRandomMax16(plaintext));
    fullMessage.message = decoded.deviceSentMessage?.message ?? decoded;
    cleanMessage(fullMessage, me.id, me.lid);
  }
  return { message: fullMessage, isBackfill: attrs['offline'] !== undefined, isDecrypted: plaintext !== null };
}

/** The library's type knows only its own key types; the store takes any. */
function inboxMutation(id: string, value: InboxValue): SignalDataSet {
  return trusted<SignalDataSet>({ [inboxType]: { [id]: value } });
}
