/** Edits, deletions and reactions as simulated people write them. */
import { proto } from '../wire/proto.ts';

/** The stanza's `edit` attribute: 1 edits a message, 7 deletes an own one, 8 is an admin's deletion in a group. */
export const editAttribute = { edit: '1', delete: '7', deleteAsAdmin: '8' } as const;

/** The new text of a message; of one with media its new caption. */
export function editMessage(
  key: proto.IMessageKey,
  edit: { readonly text: string; readonly original: Uint8Array; readonly atMs: number },
): proto.IMessage {
  return {
    protocolMessage: {
      key,
      type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
      editedMessage: withText(proto.Message.decode(edit.original), edit.text),
      timestampMs: edit.atMs,
    },
  };
}

export function deleteMessage(key: proto.IMessageKey): proto.IMessage {
  return { protocolMessage: { key, type: proto.Message.ProtocolMessage.Type.REVOKE } };
}

/** An empty emoji takes the reaction back. */
export function reactionMessage(
  key: proto.IMessageKey,
  reaction: { readonly emoji: string; readonly atMs: number },
): proto.IMessage {
  return { reactionMessage: { key, text: reaction.emoji, senderTimestampMs: reaction.atMs } };
}

function withText(original: proto.IMessage, text: string): proto.IMessage {
  const message = original.documentWithCaptionMessage?.message ?? original;
  if (message.imageMessage) return { imageMessage: { ...message.imageMessage, caption: text } };
  if (message.videoMessage) return { videoMessage: { ...message.videoMessage, caption: text } };
  if (message.documentMessage) return { documentMessage: { ...message.documentMessage, caption: text } };
  return { conversation: text };
}
