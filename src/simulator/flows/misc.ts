/** Queries with ever the same answer, and what needs no answer at all. */
import { parseJid } from '../jid.ts';
import type { BinaryNode, Flow } from '../types.ts';
import { child, children, element, iqError, iqResult, isIq } from '../wire/node.ts';
import { unlinkDevice } from './close.ts';
import type { Notifications } from './notifications.ts';
import type { WireContext } from './wire-context.ts';

type Answer = (node: BinaryNode) => BinaryNode;

/** Answers by `<type> <xmlns>`. */
export function createMiscFlow(): Flow {
  const answers: Readonly<Record<string, Answer>> = {
    'get w:p': (node) => iqResult(node),
    'get abt': (node) => iqResult(node, [element('props', { protocol: '1', hash: '1', refresh: '86400' })]),
    'set urn:xmpp:whatsapp:dirty': (node) => iqResult(node),
    'set w:sync:app:state': (node) => {
      const collections = children(child(node, 'sync'), 'collection').map(({ attrs }) =>
        element('collection', { name: attrs['name'], version: attrs['version'] ?? '0', has_more_patches: 'false' }),
      );
      return iqResult(node, [element('sync', {}, collections)]);
    },
  };
  const answerTo = (node: BinaryNode): Answer | undefined => {
    const { type = '', xmlns = '' } = node.attrs;
    return node.tag === 'iq' ? answers[`${type} ${xmlns}`] : undefined;
  };
  return {
    name: 'misc',
    handles: (node) => answerTo(node) !== undefined,
    async handle(node, connection) {
      const answer = answerTo(node)?.(node);
      if (answer !== undefined) connection.send(answer);
    },
  };
}

/** Client statistics, which are sent without a type, and telemetry: nothing is expected in return. */
export const ignoredFlow: Flow = {
  name: 'ignored',
  handles: (node) => isIq(node, 'w:stats') || (node.tag === 'ib' && child(node, 'unified_session') !== undefined),
  async handle(node, connection) {
    if (node.tag === 'iq') connection.send(iqResult(node));
  },
};

/** The client unlinks itself, or another companion of its account. */
export function createLogoutFlow(context: WireContext, notifications: Notifications): Flow {
  return {
    name: 'logout',
    handles: (node) => isIq(node, 'md', 'set') && child(node, 'remove-companion-device') !== undefined,
    async handle(node, connection) {
      const jid = child(node, 'remove-companion-device')?.attrs['jid'] ?? '';
      const device = context.directory.device(jid);
      if (device === undefined || device.user !== connection.device.user) {
        const isOwn = parseJid(jid)?.user === connection.device.user.pn;
        connection.send(isOwn ? iqError(node, 404, 'item-not-found') : iqError(node, 403, 'forbidden'));
        return;
      }
      connection.send(iqResult(node));
      unlinkDevice(context, notifications, device);
    },
  };
}
