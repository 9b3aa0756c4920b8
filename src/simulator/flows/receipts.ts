/**
 * Receipts that sessions send: they confirm what was queued for the session, are kept for inspection, and travel on to
 * the sessions of the account they are addressed to.
 */
import type { GroupOutgoing } from '../group-outgoing.ts';
import { addressIn } from '../groups/group-stanzas.ts';
import { lidJid } from '../jid.ts';
import type { Activity } from '../state/activity.ts';
import type { Group, Groups } from '../state/groups.ts';
import type { Queues } from '../state/queues.ts';
import type { BinaryNode, Connection, Device, Flow, SimulatorContext } from '../types.ts';
import { child, children, element } from '../wire/node.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Inbox } from '../state/inbox.ts';
import type { SentMessages } from '../state/sent-messages.ts';
import { answerMediaRetry } from './media.ts';
import { answerRetry } from './retries.ts';

export interface ReceiptFlowParts {
  readonly context: SimulatorContext;
  readonly queues: Queues;
  readonly activity: Activity;
  readonly groups: Groups;
  readonly outgoing: Outgoing;
  readonly groupOutgoing: GroupOutgoing;
  readonly inbox: Inbox;
  readonly sent: SentMessages;
}

/** Receipts that other people get to see; a receipt without type tells delivery. */
const PUBLIC_TYPES: ReadonlySet<string | undefined> = new Set([undefined, 'inactive', 'read', 'played']);
/** Receipts that say that the device has a message: from others, or from another device of the account. */
const DELIVERY_TYPES: ReadonlySet<string | undefined> = new Set([undefined, 'inactive', 'sender', 'peer_msg']);
/** Receipts after which the account's other sessions show the chat as read. */
const READ_TYPES: ReadonlySet<string | undefined> = new Set(['read', 'read-self', 'played']);

export function receiptFlow(parts: ReceiptFlowParts): Flow {
  return {
    name: 'receipts',
    handles: (node) => node.tag === 'receipt',
    async handle(node, connection) {
      connection.send(receiptAck(node));
      if (node.attrs['type'] === 'retry') await answerRetry(parts, node, connection.device);
      else if (node.attrs['type'] === 'server-error') answerMediaRetry(parts, node, connection.device);
      else takeReceipt(parts, node, connection);
    },
  };
}

function takeReceipt(parts: ReceiptFlowParts, node: BinaryNode, connection: Connection): void {
  const { context, queues, activity, groups } = parts;
  const reader = connection.device;
  const type = node.attrs['type'];
  const to = node.attrs['to'] ?? '';
  const atMs = context.clock.now();
  const ids = [node.attrs['id'] ?? '', ...children(child(node, 'list'), 'item').map((item) => item.attrs['id'] ?? '')];
  if (DELIVERY_TYPES.has(type)) context.oracle.confirmed(reader, ids);
  queues.confirmMessages(reader, ids);
  for (const id of ids) {
    const at = Math.floor(atMs / 1000);
    activity.receipt(reader.user, { message_id: id, from: reader.jid, to, type: type ?? 'delivered', at });
  }

  const group = groups.byJid(to);
  const addressee = context.directory.byJid(group === undefined ? to : (node.attrs['participant'] ?? ''));
  const forwarded = {
    ...readerAttrs(context, reader, group),
    id: node.attrs['id'],
    t: node.attrs['t'] ?? String(Math.floor(atMs / 1000)),
  };
  if (PUBLIC_TYPES.has(type) && addressee !== undefined && addressee !== reader.user) {
    const stanza = element('receipt', { ...forwarded, type }, node.content);
    for (const device of addressee.devices.values()) queues.push(device, stanza);
  }
  if (READ_TYPES.has(type)) {
    const chat =
      group === undefined
        ? { recipient: addressee === undefined ? to : lidJid(addressee.lid) }
        : { participant: node.attrs['participant'] };
    const stanza = element('receipt', { ...forwarded, type: 'read-self', ...chat }, node.content);
    for (const device of reader.user.devices.values()) if (device !== reader) queues.push(device, stanza);
  }
}

/** Who sends the receipt, and in which group. */
function readerAttrs(context: SimulatorContext, reader: Device, group: Group | undefined) {
  if (group === undefined) return { from: lidJid(reader.user.lid, reader.id) };
  const participant = addressIn(context.directory, group.addressing, { lid: reader.user.lid, device: reader.id });
  return { from: group.jid, participant };
}

/** `<ack class=receipt>`: from whom the receipt was addressed to, with its type. */
function receiptAck(node: BinaryNode): BinaryNode {
  return element('ack', {
    class: 'receipt',
    id: node.attrs['id'],
    from: node.attrs['to'],
    type: node.attrs['type'],
    participant: node.attrs['participant'],
  });
}
