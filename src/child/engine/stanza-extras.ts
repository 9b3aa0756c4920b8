/** Attributes and children that a message stanza needs beside its ciphertexts, by the kind of its content. */
import { isJidGroup, normalizeMessageContent, proto, type BinaryNode } from '@whiskeysockets/baileys';

export interface StanzaExtras {
  readonly additionalAttributes?: Record<string, string>;
  readonly additionalNodes?: BinaryNode[];
}

const { MESSAGE_EDIT, REVOKE } = proto.Message.ProtocolMessage.Type;

/**
 * The `edit` attribute of the WhatsApp Web protocol: 1 edits, 2 pins, 7 deletes one's own message for everyone, 8 deletes
 * somebody else's as an admin of the group. Polls and events say that they create one.
 */
export function stanzaExtras(message: proto.IMessage, chat: string): StanzaExtras {
  const content = normalizeMessageContent(message);
  const protocol = content?.protocolMessage;
  if (protocol?.type === MESSAGE_EDIT) return { additionalAttributes: { edit: '1' } };
  if (protocol?.type === REVOKE) {
    const isOthers = isJidGroup(chat) === true && protocol.key?.fromMe !== true;
    return { additionalAttributes: { edit: isOthers ? '8' : '7' } };
  }
  if (content?.pinInChatMessage) return { additionalAttributes: { edit: '2' } };
  const isPoll = content?.pollCreationMessage ?? content?.pollCreationMessageV2 ?? content?.pollCreationMessageV3;
  if (isPoll) return { additionalNodes: [{ tag: 'meta', attrs: { polltype: 'creation' } }] };
  // The library knows the type of all other media.
  if (content?.ptvMessage) return { additionalAttributes: { type: 'media' } };
  if (content?.eventMessage) return { additionalNodes: [{ tag: 'meta', attrs: { event_type: 'creation' } }] };
  return {};
}
