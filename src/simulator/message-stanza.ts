/** The stanza in which the server hands a message to a companion. Pure. */
import { lidJid, pnJid } from './jid.ts';
import type { BinaryNode, User } from './types.ts';
import { element } from './wire/node.ts';

export interface MessageEnvelope {
  readonly id: string;
  /** Unix seconds. */
  readonly at: number;
  /** `text`, `media`, `reaction`, `poll`, `event`. */
  readonly type: string;
  readonly edit?: string | undefined;
  readonly category?: string | undefined;
  readonly sender: User;
  /** 0 is the sender's phone. */
  readonly senderDevice: number;
  /** Address form of the sender, for messages to others. */
  readonly addressing: 'lid' | 'pn';
  /** The chat, when the receiving device is another one of the sender's own account; null otherwise. */
  readonly chat: ChatAddress | null;
}

export interface ChatAddress {
  readonly jid: string;
  readonly pnJid?: string;
}

/**
 * `<message from … >` with the given children. Messages of other people carry both addresses of the sender; copies of
 * what the own account sent carry the chat as recipient.
 */
export function messageStanza(envelope: MessageEnvelope, content: BinaryNode[]): BinaryNode {
  const { sender, senderDevice } = envelope;
  return element(
    'message',
    {
      ...addresses(envelope),
      id: envelope.id,
      type: envelope.type,
      t: String(envelope.at),
      // What a phone tells a device of its own account brings no name.
      notify: sender.name === '' || envelope.category === 'peer' ? undefined : sender.name,
      edit: envelope.edit,
      category: envelope.category,
    },
    content,
  );

  function addresses({ chat, addressing }: MessageEnvelope): Record<string, string | undefined> {
    if (chat !== null) {
      return {
        from: lidJid(sender.lid, senderDevice),
        recipient: chat.jid,
        peer_recipient_pn: chat.pnJid,
        addressing_mode: 'lid',
      };
    }
    return addressing === 'lid'
      ? { from: lidJid(sender.lid, senderDevice), sender_pn: pnJid(sender.pn), addressing_mode: 'lid' }
      : { from: pnJid(sender.pn, senderDevice), sender_lid: lidJid(sender.lid), addressing_mode: 'pn' };
  }
}

/** How the account's own devices are told which chat a message belongs to. */
export function chatOf(user: User): ChatAddress {
  return { jid: lidJid(user.lid), pnJid: pnJid(user.pn) };
}
