/** What a simulated person does with a message that it has received: nothing, tell delivery, read it, echo it. */
import { describeContent } from './content.ts';
import { textContent } from './content/text.ts';
import type { GroupOutgoing } from './group-outgoing.ts';
import { mayWrite } from './groups/rules.ts';
import type { ReadResult } from './incoming.ts';
import type { Outgoing } from './outgoing.ts';
import { receiptStanza } from './receipt-stanza.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Group } from './state/groups.ts';
import type { PersonReceipts } from './state/person-receipts.ts';
import type { Queues } from './state/queues.ts';
import type { SimulatorContext, User } from './types.ts';

export type ReceiptType = 'delivered' | 'read' | 'played';

export interface ReceivedMessage {
  readonly reader: User;
  /** The account that wrote it, from a session or from its phone. */
  readonly account: User;
  readonly messageId: string;
  /** The group that it stands in. */
  readonly group?: Group;
  readonly result: ReadResult;
}

export interface ContactParts {
  readonly context: SimulatorContext;
  readonly queues: Queues;
  readonly settings: ContactSettings;
  readonly receipts: PersonReceipts;
  readonly outgoing: Outgoing;
  readonly groupOutgoing: GroupOutgoing;
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
    const echo = { from: reader, content: textContent(text, null), type: 'text' };
    if (message.group === undefined) await this.#parts.outgoing.send({ ...echo, to: account });
    else if (mayWrite(message.group, reader.lid))
      await this.#parts.groupOutgoing.send({ ...echo, group: message.group });
  }

  /** Tells all sessions of the account what has become of its message. */
  sendReceipt(message: Omit<ReceivedMessage, 'result'>, type: ReceiptType): void {
    const { context, queues, settings, receipts } = this.#parts;
    const { reader, group, messageId } = message;
    const addressing = group?.addressing ?? settings.of(reader).addressing;
    const at = Math.floor(context.clock.now() / 1000);
    receipts.tell(message, type, at);
    const stanza = receiptStanza({ reader, addressing, group: group?.jid, messageId, at }, type);
    for (const device of message.account.devices.values()) queues.push(device, stanza);
  }
}
