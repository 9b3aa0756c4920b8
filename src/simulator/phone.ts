/** An account's own phone as a writer: its sessions see what it sent, and the recipient reacts to it. */
import type { Contact } from './contact.ts';
import type { Draft, Outgoing } from './outgoing.ts';

export class Phone {
  readonly #outgoing: Outgoing;
  readonly #contact: Contact;

  constructor(outgoing: Outgoing, contact: Contact) {
    this.#outgoing = outgoing;
    this.#contact = contact;
  }

  /** Writes from the phone of `draft.from`; answers the message id. */
  async write(draft: Draft): Promise<string> {
    const messageId = await this.#outgoing.send(draft);
    if (draft.to !== draft.from) {
      const result = { tag: 'new', content: draft.content } as const;
      await this.#contact.react({ reader: draft.to, account: draft.from, messageId, result });
    }
    return messageId;
  }
}
