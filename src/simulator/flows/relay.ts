/**
 * Hands the copy that a session made for another session to that session's queue. The content stays opaque: only the
 * two sessions can read it.
 */
import { chatOf, messageStanza } from '../message-stanza.ts';
import type { BinaryNode, Device, Directory } from '../types.ts';
import { children } from '../wire/node.ts';

export interface RelayedCopy {
  /** The stanza as the sending session wrote it. */
  readonly node: BinaryNode;
  readonly sender: Device;
  readonly receiver: Device;
  /** JID of the chat; of interest to the sender's own other devices only. */
  readonly destination: string;
  readonly enc: BinaryNode;
  /** Unix seconds. */
  readonly at: number;
}

/** Parts of the stanza that concern every receiver. */
const SHARED_CHILDREN = new Set(['device-identity', 'meta']);

/** The stanza that the receiving session gets. */
export function relayedStanza(copy: RelayedCopy, directory: Directory): BinaryNode {
  const { node, sender, receiver } = copy;
  const isOwn = receiver.user === sender.user;
  const chat = directory.byJid(copy.destination);
  return messageStanza(
    {
      id: node.attrs['id'] ?? '',
      at: copy.at,
      type: node.attrs['type'] ?? 'text',
      edit: node.attrs['edit'],
      category: node.attrs['category'],
      sender: sender.user,
      senderDevice: sender.id,
      addressing: 'lid',
      chat: isOwn ? (chat === undefined ? { jid: copy.destination } : chatOf(chat)) : null,
    },
    [copy.enc, ...children(node).filter((part) => SHARED_CHILDREN.has(part.tag))],
  );
}
