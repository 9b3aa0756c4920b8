/**
 * Simulated people read: decrypts the copies that a session made for them, keeps what they said in the inbox, and asks
 * the session again for what cannot be read.
 */
import { assertNever } from '../contract/assert-never.ts';
import { logger, maskJid } from '../log.ts';
import { isMessage } from './content.ts';
import { unwrapDeviceSent } from './content/device-sent.ts';
import { lidJid, pnJid } from './jid.ts';
import { retryReceiptStanza } from './receipt-stanza.ts';
import type { SignalEngine } from './signal-engine.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Inbox } from './state/inbox.ts';
import type { Queues } from './state/queues.ts';
import type { Device, SimulatorContext, User } from './types.ts';

export interface IncomingCopy {
  readonly reader: User;
  readonly sender: Device;
  readonly messageId: string;
  /** The `to` of the stanza. */
  readonly destination: string;
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
  readonly queues: Queues;
  readonly inbox: Inbox;
  readonly settings: ContactSettings;
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

  async read(copy: IncomingCopy): Promise<ReadResult> {
    const { engine, inbox } = this.#parts;
    const account = copy.sender.user;
    const peer = { lid: account.lid, device: copy.sender.id };
    const decrypted = await engine.decrypt(copy.reader, peer, copy.encrypted);
    switch (decrypted.tag) {
      case 'plaintext':
        this.#retries.delete(retryKey(copy));
        if (copy.isPeer) return { tag: 'known' };
        if (isMessage(decrypted.plaintext)) return this.#keep(copy, decrypted.plaintext);
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

  #keep(copy: IncomingCopy, plaintext: Uint8Array): ReadResult {
    const { context, inbox } = this.#parts;
    const { sender, reader } = copy;
    const wrapped = reader === sender.user ? unwrapDeviceSent(plaintext) : null;
    const content = wrapped?.content ?? plaintext;
    if (inbox.has(sender.user, reader, copy.messageId)) return { tag: 'known' };
    const destination = wrapped?.destination ?? copy.destination;
    const chat = context.directory.byJid(destination);
    inbox.add(sender.user, {
      messageId: copy.messageId,
      reader: reader.lid,
      chat: chat === undefined ? destination : pnJid(chat.pn),
      at: Math.floor(context.clock.now() / 1000),
      content,
    });
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
        addressing: isOwnPhone ? 'lid' : settings.of(reader).addressing,
        messageId: copy.messageId,
        at: Math.floor(context.clock.now() / 1000),
      },
      { count, bundle: engine.bundle(reader), recipient: isOwnPhone ? recipient : null },
    );
    queues.push(sender, stanza);
  }
}

function retryKey(copy: IncomingCopy): string {
  return `${copy.reader.lid}/${copy.sender.lid}/${copy.messageId}`;
}
