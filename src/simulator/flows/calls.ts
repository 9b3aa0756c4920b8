/** What sessions do with calls: reject them, and make links to calls. */
import { randomBytes } from 'node:crypto';
import type { Calls } from '../state/calls.ts';
import type { Switchboard } from '../switchboard.ts';
import type { Flow } from '../types.ts';
import { child, element } from '../wire/node.ts';

export function callFlow({ calls, switchboard }: { calls: Calls; switchboard: Switchboard }): Flow {
  return {
    name: 'calls',
    handles: (node) => node.tag === 'call',
    async handle(node, connection) {
      const wish = child(node);
      const { id, to } = node.attrs;
      if (wish?.tag === 'link_create') {
        const token = randomBytes(16).toString('base64url');
        connection.send(element('call', { from: to, id }, [element('link_create', { token })]));
        return;
      }
      // A rejection is a query: whatever becomes of it, the client waits for an answer with its id.
      connection.send(element('ack', { class: 'call', id, from: to, type: wish?.tag }));
      const call = calls.byId(wish?.attrs['call-id'] ?? '');
      if (wish?.tag === 'reject' && call?.status === 'ringing' && call.to === connection.device.user) {
        switchboard.reject(call);
      }
    },
  };
}
