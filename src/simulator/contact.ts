/** What a simulated person does with a message that it has received: nothing, tell delivery, read it, echo it. */
import { describeContent } from './content.ts';
import { textContent } from './content/text.ts';
import type { ReadResult } from './incoming.ts';
import type { Outgoing } from './outgoing.ts';
import { receiptStanza } from './receipt-stanza.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Queues } from './state/queues.ts';
import type { SimulatorContext, User } from './types.ts';

export type ReceiptType = 'delivered' | 'read' | 'played';

export interface ReceivedMessage {
  readonly reader: User;
  /** The account that wrote it, from a session or from its phone. */
  readonly account: User;
  readonly messageId: string;
  readonly result: ReadResult;
}

export interface ContactParts {
  readonly context: SimulatorContext;
  readonly queues: Queues;
  readonly settings: ContactSettings;
  readonly outgoing: Outgoing;
}

export class Contact {
  readonly #parts: ContactParts;

  constructor(parts: ContactParts) {
    this.#parts = parts;
  }

  /** Reacts as the person's behaviour says. A message that is known already is told delivered again, no more. */
  async react(message: ReceivedMessage): Promise<void> {
    const { reader, account, result } = message;
    const { behaviour } = this.#parts.settings.of(reader);
    if (!reader.registered || behaviour === 'silent' || result.tag === 'unreadable') return;
    this.sendReceipt(message, 'delivered');
    if (result.tag === 'known' || behaviour === 'delivers') return;
    this.sendReceipt(message, 'read');
    if (behaviour !== 'echoes') return;
    const { type, text } = describeContent(result.content);
    if (type !== 'text' || text === null) return;
    await this.#parts.outgoing.send({ from: reader, to: account, content: textContent(text, null), type: 'text' });
  }

  /** Tells all sessions of the account what has become of its message. */
  sendReceipt(message: Pick<ReceivedMessage, 'reader' | 'account' | 'messageId'>, type: ReceiptType): void {
    const { context, queues, settings } = this.#parts;
    const { addressing } = settings.of(message.reader);
    const at = Math.floor(context.clock.now() / 1000);
    const stanza = receiptStanza({ reader: message.reader, addressing, messageId: message.messageId, at }, type);
    for (const device of message.account.devices.values()) queues.push(device, stanza);
  }
}
