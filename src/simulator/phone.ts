/** An account's own phone as a writer: its sessions see what it sent, and the recipients react to it. */
import type { Contact } from './contact.ts';
import type { GroupDraft, GroupOutgoing } from './group-outgoing.ts';
import type { Draft, Outgoing } from './outgoing.ts';
import type { Directory } from './types.ts';

export interface PhoneParts {
  readonly directory: Directory;
  readonly outgoing: Outgoing;
  readonly groupOutgoing: GroupOutgoing;
  readonly contact: Contact;
}

export class Phone {
  readonly #parts: PhoneParts;

  constructor(parts: PhoneParts) {
    this.#parts = parts;
  }

  /** Writes from the phone of `draft.from`; answers the message id. */
  async write(draft: Draft): Promise<string> {
    const { outgoing, contact } = this.#parts;
    const messageId = await outgoing.send(draft);
    if (draft.to !== draft.from) {
      const result = { tag: 'new', content: draft.content } as const;
      await contact.react({ reader: draft.to, account: draft.from, messageId, result });
    }
    return messageId;
  }

  /** The same into a group, where only what an account has written is reacted to. */
  async writeToGroup(draft: GroupDraft): Promise<string> {
    const { directory, groupOutgoing, contact } = this.#parts;
    const { from, group, content } = draft;
    const messageId = await groupOutgoing.send(draft);
    if (from.kind !== 'account') return messageId;
    for (const { lid } of group.members) {
      const reader = directory.byLid(lid);
      if (reader === undefined || reader === from) continue;
      await contact.react({ reader, account: from, messageId, group, result: { tag: 'new', content } });
    }
    return messageId;
  }
}
