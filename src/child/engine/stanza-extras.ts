/** Attributes and children that a message stanza needs beside its ciphertexts, by the kind of its content. */
import { isJidGroup, type AnyMessageContent, type BinaryNode } from '@whiskeysockets/baileys';

export interface StanzaExtras {
  readonly additionalAttributes?: Record<string, string>;
  readonly additionalNodes?: BinaryNode[];
}

/**
 * The `edit` attribute of the WhatsApp Web protocol: 1 edits, 2 pins, 7 deletes one's own message for everyone, 8 deletes
 * somebody else's as an admin of the group. Polls and events say that they create one.
 */
export function stanzaExtras(content: AnyMessageContent): StanzaExtras {
  if ('delete' in content && content.delete) {
    const isOthers = isJidGroup(content.delete.remoteJid ?? undefined) === true && content.delete.fromMe !== true;
    return { additionalAttributes: { edit: isOthers ? '8' : '7' } };
  }
  if ('edit' in content && content.edit) return { additionalAttributes: { edit: '1' } };
  if ('pin' in content && content.pin) return { additionalAttributes: { edit: '2' } };
  if ('poll' in content && content.poll) return { additionalNodes: [{ tag: 'meta', attrs: { polltype: 'creation' } }] };
  if ('event' in content && content.event)
    return { additionalNodes: [{ tag: 'meta', attrs: { event_type: 'creation' } }] };
  return {};
}
