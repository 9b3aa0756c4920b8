/**
 * Messages that sessions send. Each copy goes where it belongs: simulated people decrypt theirs, other sessions get
 * theirs queued; the server acknowledges after that. Every copy's ratchet position goes to the oracle first, whatever
 * becomes of the message.
 */
import type { Contact, ReceivedMessage } from '../contact.ts';
import type { Incoming } from '../incoming.ts';
import { parseJid } from '../jid.ts';
import { ratchetPosition } from '../signal/ratchet-position.ts';
import type { Blocklist } from '../state/blocklist.ts';
import type { Queues } from '../state/queues.ts';
import type { BinaryNode, Connection, Flow, SimulatorContext } from '../types.ts';
import { bytesOf, child, children } from '../wire/node.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { Destinations } from './destinations.ts';
import { relayedStanza } from './relay.ts';

interface Copy {
  /** JID of the receiving device. */
  readonly to: string;
  readonly enc: BinaryNode;
}

export interface MessageFlowParts {
  readonly context: SimulatorContext;
  readonly queues: Queues;
  readonly incoming: Incoming;
  readonly contact: Contact;
  readonly acknowledgements: Acknowledgements;
  readonly destinations: Destinations;
  readonly blocklist: Blocklist;
}

/** The server's word for a message without recipients. */
const BAD_REQUEST = 400;
/** … and for a chat that does not exist. */
const NOT_FOUND = 404;

export function messageFlow(parts: MessageFlowParts): Flow {
  return {
    name: 'messages',
    handles: (node) => node.tag === 'message',
    handle: (node, connection) => handleMessage(parts, node, connection),
  };
}

async function handleMessage(parts: MessageFlowParts, node: BinaryNode, connection: Connection): Promise<void> {
  const { context, acknowledgements } = parts;
  const sender = connection.device;
  const account = sender.user;
  const isPeer = node.attrs['category'] === 'peer';
  if (!isPeer) context.oracle.received(account, isAskedFor(node) ? null : (node.attrs['id'] ?? null));

  const copies = copiesOf(node);
  for (const { enc } of copies) {
    const position = ratchetPosition(sender.jid, enc.attrs['type'] ?? '', bytesOf(enc));
    if (position !== null) context.oracle.ratchetPosition(account, position);
  }

  const refusal = isPeer ? null : (context.faults.takeSendRefusal(account) ?? inherentRefusal(node, copies));
  if (refusal !== null) {
    acknowledgements.refuse(connection, node, refusal);
    return;
  }
  const received = await distribute(parts, { node, connection, copies, isPeer });
  acknowledgements.accept(connection, node);
  for (const message of received) await parts.contact.react(message);
}

/** A copy for one device that could not read the first one. */
function isAskedFor(node: BinaryNode): boolean {
  return node.attrs['device_fanout'] === 'false' || node.attrs['participant'] !== undefined;
}

/** Every copy of a fan-out, or the one of a stanza for a single device (peer messages, answers to retry receipts). */
function copiesOf(node: BinaryNode): readonly Copy[] {
  const participants = child(node, 'participants');
  if (participants !== undefined) {
    return children(participants, 'to').flatMap((to) =>
      children(to, 'enc').map((enc) => ({ to: to.attrs['jid'] ?? '', enc })),
    );
  }
  return children(node, 'enc').map((enc) => ({ to: node.attrs['to'] ?? '', enc }));
}

function inherentRefusal(node: BinaryNode, copies: readonly Copy[]): number | null {
  const server = parseJid(node.attrs['to'] ?? '')?.server;
  if (server !== 's.whatsapp.net' && server !== 'lid') return NOT_FOUND;
  return copies.length === 0 ? BAD_REQUEST : null;
}

interface Distribution {
  readonly node: BinaryNode;
  readonly connection: Connection;
  readonly copies: readonly Copy[];
  readonly isPeer: boolean;
}

/** Answers what simulated people other than the account's own phone have received. */
async function distribute(
  parts: MessageFlowParts,
  { node, connection, copies, isPeer }: Distribution,
): Promise<readonly ReceivedMessage[]> {
  const { context, queues, incoming, destinations, blocklist } = parts;
  const sender = connection.device;
  const messageId = node.attrs['id'] ?? '';
  const destination = destinations.of(sender, node);
  const at = Math.floor(context.clock.now() / 1000);
  const received: ReceivedMessage[] = [];
  for (const { to, enc } of copies) {
    const jid = parseJid(to);
    const reader = context.directory.byJid(to);
    // Clients hold device lists that are out of date: copies for nobody are dropped.
    if (jid === undefined || reader === undefined || !reader.registered) continue;
    // The sender learns nothing of it: the message is acknowledged and never delivered.
    if (blocklist.has(reader, sender.user)) continue;
    if (jid.device !== 0) {
      const receiver = context.directory.device(to);
      if (receiver === undefined || receiver === sender) continue;
      queues.push(receiver, relayedStanza({ node, sender, receiver, destination, enc, at }, context.directory));
      continue;
    }
    const encrypted = { type: enc.attrs['type'] ?? '', ciphertext: bytesOf(enc) };
    const result = await incoming.read({ reader, sender, messageId, destination, isPeer, encrypted });
    if (reader !== sender.user) received.push({ reader, account: sender.user, messageId, result });
  }
  return received;
}
