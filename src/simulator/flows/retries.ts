/**
 * A session could not decrypt a message and asks for it again. Simulated people encrypt it anew; for a message of
 * another session the request is handed on to that session, which does the same.
 */
import type { GroupOutgoing } from '../group-outgoing.ts';
import { addressIn } from '../groups/group-stanzas.ts';
import { lidJid, parseJid } from '../jid.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Groups } from '../state/groups.ts';
import type { Queues } from '../state/queues.ts';
import type { BinaryNode, Device, PreKeyBundle, SimulatorContext } from '../types.ts';
import { bytesOf, child, element, uintOf } from '../wire/node.ts';

interface RetryParts {
  readonly context: SimulatorContext;
  readonly queues: Queues;
  readonly groups: Groups;
  readonly outgoing: Outgoing;
  readonly groupOutgoing: GroupOutgoing;
}

/** Acts on `<receipt type=retry>` of the device `reader`. */
export async function answerRetry(parts: RetryParts, node: BinaryNode, reader: Device): Promise<void> {
  const { context, queues, groups } = parts;
  const id = node.attrs['id'] ?? '';
  const group = groups.byJid(node.attrs['to'] ?? '');
  const to = (group === undefined ? node.attrs['to'] : node.attrs['participant']) ?? '';
  const writer = context.directory.byJid(to);
  if (writer === undefined) return;
  queues.withdrawMessage(reader, id);
  if ((parseJid(to)?.device ?? 0) === 0) {
    const retry = Number(child(node, 'retry')?.attrs['count'] ?? '1') || 1;
    const outgoing = group === undefined ? parts.outgoing : parts.groupOutgoing;
    await outgoing.sendAgain(writer, id, { device: reader, retry, bundle: bundleOf(node) });
    return;
  }
  const sender = context.directory.device(to);
  if (sender === undefined) return;
  const device = { lid: reader.user.lid, device: reader.id };
  const asking =
    group === undefined
      ? { from: lidJid(device.lid, device.device) }
      : { from: group.jid, participant: addressIn(context.directory, group.addressing, device) };
  const attrs = {
    ...asking,
    id,
    type: 'retry',
    t: String(Math.floor(context.clock.now() / 1000)),
    recipient: node.attrs['recipient'],
  };
  queues.push(sender, element('receipt', attrs, node.content));
}

/** The keys that the reader sent along, from its second request on. */
function bundleOf(node: BinaryNode): PreKeyBundle | null {
  const keys = child(node, 'keys');
  const signedPreKey = child(keys, 'skey');
  if (keys === undefined || signedPreKey === undefined) return null;
  const preKey = child(keys, 'key');
  return {
    registrationId: uintOf(child(node, 'registration')),
    identityKey: bytesOf(child(keys, 'identity')),
    signedPreKey: {
      keyId: uintOf(child(signedPreKey, 'id')),
      publicKey: bytesOf(child(signedPreKey, 'value')),
      signature: bytesOf(child(signedPreKey, 'signature')),
    },
    ...(preKey === undefined
      ? {}
      : { preKey: { keyId: uintOf(child(preKey, 'id')), publicKey: bytesOf(child(preKey, 'value')) } }),
  };
}
