/**
 * Messages that sessions send into groups. Every member's device gets the shared ciphertext, with the sender key in
 * front of it when the session has made a copy of the key for that device; a copy that is sent again goes to one
 * device alone.
 */
import type { Contact, ReceivedMessage } from '../contact.ts';
import { groupMessageStanza } from '../groups/group-message-stanza.ts';
import { memberOf, mayWrite } from '../groups/rules.ts';
import type { Incoming, IncomingCopy } from '../incoming.ts';
import { parseJid } from '../jid.ts';
import { ratchetPosition, senderKeyPosition } from '../signal/ratchet-position.ts';
import type { Group, Groups } from '../state/groups.ts';
import type { Queues } from '../state/queues.ts';
import type { BinaryNode, Connection, Device, Flow, SimulatorContext, User } from '../types.ts';
import { bytesOf, child, children } from '../wire/node.ts';
import type { Acknowledgements } from './acknowledgements.ts';

export interface GroupMessageFlowParts {
  readonly context: SimulatorContext;
  readonly groups: Groups;
  readonly queues: Queues;
  readonly incoming: Incoming;
  readonly contact: Contact;
  readonly acknowledgements: Acknowledgements;
}

/** A device as the server counts them: 0 is the phone. */
interface Reader {
  readonly user: User;
  readonly deviceId: number;
}

interface Delivery extends Reader {
  /** The copy of the sender key that was made for this device. */
  readonly key: BinaryNode | undefined;
}

interface GroupMessage {
  readonly node: BinaryNode;
  readonly sender: Device;
  readonly group: Group;
}

const BAD_REQUEST = 400;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
/** Only admins may write here. */
const NOT_ALLOWED = 420;
/** The session holds on to an addressing that the group does not have. */
const STALE_ADDRESSING = 421;

/** Parts of the stanza that concern every receiver. */
const SHARED_CHILDREN = new Set(['device-identity', 'meta']);

export function groupMessageFlow(parts: GroupMessageFlowParts): Flow {
  return {
    name: 'group messages',
    handles: (node) => node.tag === 'message' && parseJid(node.attrs['to'] ?? '')?.server === 'g.us',
    handle: (node, connection) => handleGroupMessage(parts, node, connection),
  };
}

async function handleGroupMessage(
  parts: GroupMessageFlowParts,
  node: BinaryNode,
  connection: Connection,
): Promise<void> {
  const { context, groups, acknowledgements } = parts;
  const sender = connection.device;
  const account = sender.user;
  // With a participant it is a copy that this one asked for again.
  context.oracle.received(account, node.attrs['participant'] === undefined ? (node.attrs['id'] ?? null) : null);
  judge(context, node, sender);
  const group = groups.byJid(node.attrs['to'] ?? '');
  const refusal = context.faults.takeSendRefusal(account) ?? inherentRefusal(group, account, node);
  if (refusal !== null || group === undefined) {
    acknowledgements.refuse(connection, node, refusal ?? NOT_FOUND);
    return;
  }
  const received = await distribute(parts, { node, sender, group });
  acknowledgements.accept(connection, node);
  for (const message of received) await parts.contact.react(message);
}

/** Hands the position of each ciphertext to the oracle, whatever becomes of the message. */
function judge(context: SimulatorContext, node: BinaryNode, sender: Device): void {
  const given = children(child(node, 'participants'), 'to').flatMap((to) => children(to, 'enc'));
  for (const enc of [...given, ...children(node, 'enc')]) {
    const type = enc.attrs['type'] ?? '';
    const position =
      type === 'skmsg'
        ? senderKeyPosition(sender.jid, node.attrs['to'] ?? '', bytesOf(enc))
        : ratchetPosition(sender.jid, type, bytesOf(enc));
    if (position !== null) context.oracle.ratchetPosition(sender.user, position);
  }
}

function inherentRefusal(group: Group | undefined, account: User, node: BinaryNode): number | null {
  if (group === undefined) return NOT_FOUND;
  if (memberOf(group, account.lid) === undefined) return FORBIDDEN;
  if (!mayWrite(group, account.lid)) return NOT_ALLOWED;
  const addressing = node.attrs['addressing_mode'];
  if (addressing !== undefined && addressing !== group.addressing) return STALE_ADDRESSING;
  return child(node, 'enc') === undefined ? BAD_REQUEST : null;
}

/** Answers what simulated people other than the account's own phone have received. */
async function distribute(parts: GroupMessageFlowParts, message: GroupMessage): Promise<readonly ReceivedMessage[]> {
  const { context } = parts;
  const { node, group, sender } = message;
  const keys = new Map(
    children(child(node, 'participants'), 'to').flatMap((to) => {
      const enc = child(to, 'enc');
      const reader = readerOf(context, to.attrs['jid'] ?? '');
      return enc === undefined || reader === undefined ? [] : [[readerKey(reader), enc] as const];
    }),
  );
  const received: ReceivedMessage[] = [];
  for (const reader of readersOf(parts, message)) {
    const delivery = { user: reader.user, deviceId: reader.deviceId, key: keys.get(readerKey(reader)) };
    if (reader.deviceId !== 0) {
      relay(parts, message, delivery);
      continue;
    }
    const result = await read(parts, message, delivery);
    if (reader.user === sender.user) continue;
    received.push({ reader: reader.user, account: sender.user, messageId: node.attrs['id'] ?? '', group, result });
  }
  return received;
}

/** Who gets the message: everybody, or the one who asked for it again. */
function readersOf({ context }: GroupMessageFlowParts, { node, group, sender }: GroupMessage): readonly Reader[] {
  const asked = node.attrs['participant'];
  if (asked !== undefined) {
    const reader = readerOf(context, asked);
    return reader === undefined || memberOf(group, reader.user.lid) === undefined ? [] : [reader];
  }
  return group.members.flatMap(({ lid }): readonly Reader[] => {
    const user = context.directory.byLid(lid);
    if (user === undefined) return [];
    const companions = [...user.devices.values()].filter((device) => device !== sender);
    return [{ user, deviceId: 0 }, ...companions.map((device) => ({ user, deviceId: device.id }))];
  });
}

function relay(
  { context, queues }: GroupMessageFlowParts,
  { node, group, sender }: GroupMessage,
  { user, deviceId, key }: Delivery,
): void {
  const device = user.devices.get(deviceId);
  if (device === undefined) return;
  const envelope = {
    id: node.attrs['id'] ?? '',
    at: Math.floor(context.clock.now() / 1000),
    type: node.attrs['type'] ?? 'text',
    edit: node.attrs['edit'],
    group,
    sender: sender.user,
    senderDevice: sender.id,
  };
  const shared = children(node).filter(({ tag }) => SHARED_CHILDREN.has(tag));
  const copies = [...(key === undefined ? [] : [key]), ...children(node, 'enc'), ...shared];
  queues.push(device, groupMessageStanza(context.directory, envelope, copies));
}

async function read(
  { incoming }: GroupMessageFlowParts,
  { node, group, sender }: GroupMessage,
  { user, key }: Delivery,
) {
  const copyOf = (enc: BinaryNode | undefined): IncomingCopy => ({
    reader: user,
    sender,
    messageId: node.attrs['id'] ?? '',
    destination: group.jid,
    group,
    isPeer: false,
    encrypted: { type: enc?.attrs['type'] ?? '', ciphertext: bytesOf(enc) },
  });
  if (key !== undefined) await incoming.takeSenderKey(copyOf(key));
  return incoming.read(copyOf(child(node, 'enc')));
}

function readerOf(context: SimulatorContext, jid: string): Reader | undefined {
  const user = context.directory.byJid(jid);
  return user === undefined ? undefined : { user, deviceId: parseJid(jid)?.device ?? 0 };
}

function readerKey({ user, deviceId }: Reader): string {
  return `${user.lid}.${deviceId}`;
}
