/** What sessions acknowledge or refuse of the messages and receipts that were queued for them. */
import type { Queues } from '../state/queues.ts';
import type { BinaryNode, Device, Flow } from '../types.ts';

export function clientAckFlow(queues: Queues): Flow {
  return {
    name: 'client acks',
    handles: (node) => node.tag === 'ack' && ['message', 'receipt'].includes(node.attrs['class'] ?? ''),
    async handle(node, connection) {
      takeAck(queues, node, connection.device);
    },
  };
}

function takeAck(queues: Queues, node: BinaryNode, device: Device): void {
  const id = node.attrs['id'] ?? '';
  if (node.attrs['class'] === 'receipt') queues.confirmReceipt(device, id, node.attrs['type']);
  else if (node.attrs['error'] === undefined) queues.confirmMessages(device, [id]);
  else queues.refuseMessage(device, id);
}
