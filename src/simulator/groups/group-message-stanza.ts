/** The stanza in which the server hands a group message to a companion. Pure. */
import type { Group } from '../state/groups.ts';
import type { BinaryNode, Directory, User } from '../types.ts';
import { element } from '../wire/node.ts';
import { actorAttrs } from './group-stanzas.ts';

export interface GroupMessageEnvelope {
  readonly id: string;
  /** Unix seconds. */
  readonly at: number;
  /** `text`, `media`, `reaction`, `poll`, `event`. */
  readonly type: string;
  readonly edit?: string | undefined;
  readonly group: Group;
  readonly sender: User;
  /** 0 is the sender's phone. */
  readonly senderDevice: number;
}

/** `<message from=<group> participant=<writer> … >` with the given children. */
export function groupMessageStanza(
  directory: Directory,
  envelope: GroupMessageEnvelope,
  content: BinaryNode[],
): BinaryNode {
  const { group, sender, senderDevice } = envelope;
  return element(
    'message',
    {
      from: group.jid,
      ...actorAttrs(directory, group.addressing, { lid: sender.lid, device: senderDevice }),
      addressing_mode: group.addressing,
      id: envelope.id,
      type: envelope.type,
      t: String(envelope.at),
      notify: sender.name === '' ? undefined : sender.name,
      edit: envelope.edit,
    },
    content,
  );
}
