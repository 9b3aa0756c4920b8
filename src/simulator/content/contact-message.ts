/** Contact cards as simulated people send them. */
import type { proto } from '../wire/proto.ts';
import { contextInfo, type MessageContext } from './context-info.ts';
import { type ContactCard, writeVcard } from './vcard.ts';

/** One card, or several in one message. */
export function contactMessage(cards: readonly ContactCard[], context: MessageContext): proto.IMessage {
  const contacts = cards.map((card) => ({ displayName: card.display_name, vcard: writeVcard(card) }));
  const [first] = contacts;
  const info = contextInfo(context);
  if (contacts.length === 1 && first !== undefined) return { contactMessage: { ...first, contextInfo: info } };
  return { contactsArrayMessage: { displayName: `${contacts.length} contacts`, contacts, contextInfo: info } };
}
