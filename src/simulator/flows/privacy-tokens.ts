/** Privacy tokens, which clients issue after they have written to somebody: accepted, and given to nobody. */
import type { Flow } from '../types.ts';
import { child, iqResult, isIq } from '../wire/node.ts';

export const privacyTokenFlow: Flow = {
  name: 'privacy tokens',
  handles: (node) => isIq(node, 'privacy', 'set') && child(node, 'tokens') !== undefined,
  async handle(node, connection) {
    connection.send(iqResult(node));
  },
};
