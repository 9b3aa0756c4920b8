import { normalizeMessageContent, proto, type WAMessageKey } from '@whiskeysockets/baileys';
import type { MessageContent } from './message-content.ts';

/** The message that tells everybody of an edit, at unix milliseconds `now`. */
export function editOf(key: WAMessageKey, edited: MessageContent, now: number): MessageContent {
  const { remoteJid, fromMe, id } = key;
  return proto.Message.fromObject({
    protocolMessage: {
      key: { remoteJid, fromMe, id },
      type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
      editedMessage: edited,
      timestampMs: now,
    },
  });
}

/** A message with another text, or with another caption of its media; null when it has neither. */
export function editedContent(message: MessageContent, text: string): MessageContent | null {
  const content = normalizeMessageContent(message);
  if (!content) return null;
  if (content.conversation || content.extendedTextMessage) {
    const contextInfo = content.extendedTextMessage?.contextInfo;
    return { extendedTextMessage: { text, ...(contextInfo ? { contextInfo } : {}) } };
  }
  if (content.imageMessage) return { imageMessage: { ...content.imageMessage, caption: text } };
  if (content.videoMessage) return { videoMessage: { ...content.videoMessage, caption: text } };
  if (content.documentMessage) return { documentMessage: { ...content.documentMessage, caption: text } };
  return null;
}
