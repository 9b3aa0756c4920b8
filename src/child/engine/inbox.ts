/**
 * The inbox: every decrypted message, stanza and plaintext, from the moment its ratchet step is committed until the
 * store has recorded it. After a crash the entries that are left are read back and recorded then.
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
import { readValue } from './values.ts';

/** The key type under which entries travel with the Signal keys. */
const inboxType = 'inbox';

interface InboxValue {
  readonly tag: string;
  readonly attrs: Record<string, string>;
  readonly plaintext: Uint8Array;
}

export interface InboxWriter {
  /** Adds the plaintext of `ciphertext` to the transaction that is open on `keys`. */
  keep(keys: SignalKeyStore, ciphertext: Uint8Array, plaintext: Uint8Array): Promise<void>;
}

export class Inbox implements InboxWriter {
  /** Ciphertext, as the object the decoder made, → the stanza it came in. */
  readonly #stanzas = new WeakMap<Uint8Array, { readonly node: BinaryNode; readonly index: number }>();
  /** Message id → the entries that hold parts of it. */
  readonly #open = new Map<string, Set<string>>();

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
    const { node, index } = stanza;
    const messageId = node.attrs['id'] ?? '';
    const id = `${messageId}|${node.attrs['from'] ?? ''}|${node.attrs['participant'] ?? ''}|${index}`;
    const entries = this.#open.get(messageId) ?? new Set();
    this.#open.set(messageId, entries.add(id));
    const value: InboxValue = { tag: node.tag, attrs: { ...node.attrs }, plaintext };
    await keys.set(inboxMutation(id, value));
  }

  /** The entries of a message that is about to be recorded, to be settled with it. */
  take(messageId: string): readonly string[] {
    const entries = this.#open.get(messageId);
    this.#open.delete(messageId);
    return entries === undefined ? [] : [...entries];
  }
}

/** A message out of the inbox of an earlier child, as the library would have told it. */
export interface RecoveredMessage {
  readonly message: WAMessage;
  readonly isBackfill: boolean;
}

/** Reads an entry back; null when it holds nothing that can be told (for example a lone sender key). */
export function recoverMessage(
  entry: InboxEntry,
  me: { readonly id: string; readonly lid: string },
): RecoveredMessage | null {
  const value = readValue<InboxValue>(entry.value);
  const node: BinaryNode = { tag: value.tag, attrs: value.attrs };
  const { fullMessage } = decodeMessageNode(node, me.id, me.lid);
  const decoded = proto.Message.decode(unpadRandomMax16(value.plaintext));
  fullMessage.message = decoded.deviceSentMessage?.message ?? decoded;
  cleanMessage(fullMessage, me.id, me.lid);
  return { message: fullMessage, isBackfill: value.attrs['offline'] !== undefined };
}

/** The library's type knows only its own key types; the store takes any. */
function inboxMutation(id: string, value: InboxValue): SignalDataSet {
  return trusted<SignalDataSet>({ [inboxType]: { [id]: value } });
}
