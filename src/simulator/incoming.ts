/**
 * Simulated people read: decrypts the copies that a session made for them, keeps what they said in the inbox, and asks
 * the session again for what cannot be read.
 */
import { assertNever } from '../contract/assert-never.ts';
import { logger } from '../log.ts';
import { maskJid } from '../log-redaction.ts';
import { isMessage } from './content.ts';
import { unwrapDeviceSent } from './content/device-sent.ts';
import { lidJid, pnJid } from './jid.ts';
import { readSenderKey } from './content/sender-key.ts';
import { retryReceiptStanza } from './receipt-stanza.ts';
import type { Decrypted, SignalEngine } from './signal-engine.ts';
import type { SenderKeys } from './signal/sender-keys.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Group } from './state/groups.ts';
import type { Inbox } from './state/inbox.ts';
import type { Queues } from './state/queues.ts';
import type { ReceivedMedia } from './state/received-media.ts';
import type { Device, SimulatorContext, User } from './types.ts';

export interface IncomingCopy {
  readonly reader: User;
  readonly sender: Device;
  readonly messageId: string;
  /** The `to` of the stanza. */
  readonly destination: string;
  /** The group that the message is for. */
  readonly group?: Group;
  /** Peer messages are between an account's own devices and are nobody's to read. */
  readonly isPeer: boolean;
  readonly encrypted: { readonly type: string; readonly ciphertext: Uint8Array };
}

/** `new`: read for the first time; `known`: read before under this id; `unreadable`: asked for again, or given up. */
export type ReadResult =
  | { readonly tag: 'new'; readonly content: Uint8Array }
  | { readonly tag: 'known' }
  | { readonly tag: 'unreadable' };

export interface IncomingParts {
  readonly context: SimulatorContext;
  readonly engine: SignalEngine;
  readonly senderKeys: SenderKeys;
  readonly queues: Queues;
  readonly inbox: Inbox;
  readonly settings: ContactSettings;
  readonly receivedMedia: ReceivedMedia;
}

/** As often as real clients ask. */
const MAX_RETRIES = 5;
const log = logger('simulator.incoming');

export class Incoming {
  readonly #parts: IncomingParts;
  /** How often each copy has been asked for. */
  readonly #retries = new Map<string, number>();

  constructor(parts: IncomingParts) {
    this.#parts = parts;
  }

  /** Takes in the sender key that stands beside a group message. What cannot be read shows with the message itself. */
  async takeSenderKey(copy: IncomingCopy): Promise<void> {
    const decrypted = await this.#decrypt(copy);
    if (decrypted.tag === 'plaintext' && isMessage(decrypted.plaintext)) {
      await this.#acceptSenderKey(copy, decrypted.plaintext);
    }
  }

  async read(copy: IncomingCopy): Promise<ReadResult> {
    const { inbox } = this.#parts;
    const account = copy.sender.user;
    const decrypted = await this.#decrypt(copy);
    switch (decrypted.tag) {
      case 'plaintext':
        this.#retries.delete(retryKey(copy));
        if (copy.isPeer) return { tag: 'known' };
        if (isMessage(decrypted.plaintext)) {
          await this.#acceptSenderKey(copy, decrypted.plaintext);
          return this.#keep(copy, decrypted.plaintext);
        }
        this.#askAgain(copy);
        return { tag: 'unreadable' };
      case 'duplicate':
        return { tag: 'known' };
      case 'undecryptable':
        // What is known already needs no second reading, however it is encrypted.
        if (copy.isPeer || inbox.has(account, copy.reader, copy.messageId)) return { tag: 'known' };
        log.debug({ reader: maskJid(pnJid(copy.reader.pn)), reason: decrypted.reason }, 'copy cannot be read');
        this.#askAgain(copy);
        return { tag: 'unreadable' };
      default:
        return assertNever(decrypted);
    }
  }

  async #decrypt({ reader, sender, group, encrypted }: IncomingCopy): Promise<Decrypted> {
    const peer = { lid: sender.user.lid, device: sender.id };
    return encrypted.type === 'skmsg'
      ? this.#parts.senderKeys.decrypt(reader, { group: group?.jid ?? '', writer: peer }, encrypted.ciphertext)
      : this.#parts.engine.decrypt(reader, peer, encrypted);
  }

  /** The key may come with the message itself, when the message was sent again. */
  async #acceptSenderKey({ reader, sender, group }: IncomingCopy, plaintext: Uint8Array): Promise<void> {
    const given = readSenderKey(unwrapDeviceSent(plaintext)?.content ?? plaintext);
    if (given === null || given.group !== group?.jid) return;
    const writer = { lid: sender.user.lid, device: sender.id };
    try {
      await this.#parts.senderKeys.accept(reader, { group: given.group, writer }, given.distribution);
    } catch (error) {
      log.debug({ reader: maskJid(pnJid(reader.pn)), reason: String(error) }, 'sender key cannot be used');
    }
  }

  #keep(copy: IncomingCopy, plaintext: Uint8Array): ReadResult {
    const { context, inbox } = this.#parts;
    const { sender, reader } = copy;
    const wrapped = reader === sender.user ? unwrapDeviceSent(plaintext) : null;
    const content = wrapped?.content ?? plaintext;
    if (inbox.has(sender.user, reader, copy.messageId)) return { tag: 'known' };
    const destination = wrapped?.destination ?? copy.destination;
    const chat = copy.group === undefined ? context.directory.byJid(destination) : undefined;
    const atMs = context.clock.now();
    inbox.add(sender.user, {
      messageId: copy.messageId,
      reader: reader.lid,
      chat: chat === undefined ? destination : pnJid(chat.pn),
      at: Math.floor(atMs / 1000),
      atMs,
      content,
    });
    this.#parts.receivedMedia.take(sender.user, copy.messageId, content);
    return { tag: 'new', content };
  }

  #askAgain(copy: IncomingCopy): void {
    const { context, engine, queues, settings } = this.#parts;
    const { reader, sender } = copy;
    const count = (this.#retries.get(retryKey(copy)) ?? 0) + 1;
    if (count > MAX_RETRIES) return;
    this.#retries.set(retryKey(copy), count);
    const isOwnPhone = reader === sender.user;
    const chat = context.directory.byJid(copy.destination);
    const recipient = chat === undefined ? copy.destination : lidJid(chat.lid);
    const stanza = retryReceiptStanza(
      {
        reader,
        addressing: copy.group?.addressing ?? (isOwnPhone ? 'lid' : settings.of(reader).addressing),
        group: copy.group?.jid,
        messageId: copy.messageId,
        at: Math.floor(context.clock.now() / 1000),
      },
      { count, bundle: engine.bundle(reader), recipient: isOwnPhone && copy.group === undefined ? recipient : null },
    );
    queues.push(sender, stanza);
  }
}

function retryKey(copy: IncomingCopy): string {
  return `${copy.reader.lid}/${copy.sender.lid}/${copy.messageId}`;
}
