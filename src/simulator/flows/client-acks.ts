/** What sessions acknowledge or refuse of the messages and receipts that were queued for them. */
import type { Queues } from '../state/queues.ts';
import type { BinaryNode, Device, Flow, Oracle } from '../types.ts';

export function clientAckFlow(queues: Queues, oracle: Oracle): Flow {
  return {
    name: 'client acks',
    handles: (node) => node.tag === 'ack' && ['message', 'receipt'].includes(node.attrs['class'] ?? ''),
    async handle(node, connection) {
      takeAck({ queues, oracle }, node, connection.device);
    },
  };
}

interface AckParts {
  readonly queues: Queues;
  readonly oracle: Oracle;
}

function takeAck({ queues, oracle }: AckParts, node: BinaryNode, device: Device): void {
  const id = node.attrs['id'] ?? '';
  if (node.attrs['class'] === 'receipt') queues.confirmReceipt(device, id, node.attrs['type']);
  else if (node.attrs['error'] === undefined) {
    oracle.confirmed(device, [id]);
    queues.confirmMessages(device, [id]);
  } else queues.refuseMessage(device, id);
}
