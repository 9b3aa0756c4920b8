import type { BinaryNode } from '../types.ts';
import { element } from '../wire/node.ts';

/** `<ack class=message>` as the server writes it; `error` refuses the message. */
export function messageAck(node: BinaryNode, atMs: number, error: number | null): BinaryNode {
  return element('ack', {
    class: 'message',
    id: node.attrs['id'],
    from: node.attrs['to'],
    participant: node.attrs['participant'],
    t: String(Math.floor(atMs / 1000)),
    error: error === null ? undefined : String(error),
  });
}
