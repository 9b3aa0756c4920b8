/** Queries about the account and its settings, and what needs no answer at all. */
import { parseJid } from '../jid.ts';
import type { BinaryNode, Connection, Flow } from '../types.ts';
import { bytesOf, child, children, element, iqError, iqResult, isIq } from '../wire/node.ts';
import { unlinkDevice } from './close.ts';
import type { Notifications } from './notifications.ts';
import type { WireContext } from './wire-context.ts';

type Answer = (node: BinaryNode, connection: Connection) => BinaryNode;

const privacyDefaults: Readonly<Record<string, string>> = {
  last: 'all',
  online: 'all',
  profile: 'all',
  status: 'all',
  readreceipts: 'all',
  groupadd: 'all',
  calladd: 'all',
  messages: 'all',
  defense: 'off',
  stickers: 'all',
};

/** Answers by `<type> <xmlns>`. */
export function createMiscFlow(context: WireContext): Flow {
  const answers: Readonly<Record<string, Answer>> = {
    'get w:p': (node) => iqResult(node),
    'get abt': (node) => iqResult(node, [element('props', { protocol: '1', hash: '1', refresh: '86400' })]),
    'get blocklist': (node, { device }) => {
      const blocked = context.records.list('blocked', `${device.user.pn} `).map(({ key }) => key.split(' ')[1] ?? '');
      return iqResult(node, [
        element(
          'list',
          { dhash: '1' },
          blocked.map((jid) => element('item', { jid })),
        ),
      ]);
    },
    'set blocklist': (node, { device }) => {
      const { jid = '', action } = child(node, 'item')?.attrs ?? {};
      if (action === 'block') context.records.put('blocked', `${device.user.pn} ${jid}`, Buffer.alloc(0));
      else context.records.delete('blocked', `${device.user.pn} ${jid}`);
      return iqResult(node);
    },
    'get privacy': (node, { device }) => {
      const categories = Object.entries(privacyDefaults).map(([name, byDefault]) => {
        const chosen = context.records.get('privacy', `${device.user.pn} ${name}`);
        return element('category', { name, value: chosen ? Buffer.from(chosen).toString() : byDefault });
      });
      return iqResult(node, [element('privacy', {}, categories)]);
    },
    'set privacy': (node, { device }) => {
      for (const { attrs } of children(child(node, 'privacy'), 'category')) {
        const { name = '', value = '' } = attrs;
        context.records.put('privacy', `${device.user.pn} ${name}`, Buffer.from(value));
      }
      return iqResult(node);
    },
    'get w:profile:picture': (node) => iqError(node, 404, 'item-not-found'),
    'set status': (node, { device }) => {
      context.records.put('about', device.user.pn, bytesOf(child(node, 'status')));
      return iqResult(node);
    },
    'set disappearing_mode': (node) => iqResult(node),
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
    // The namespace `privacy` is also that of the tokens, which messaging answers.
    if (node.tag !== 'iq' || (xmlns === 'privacy' && child(node, 'privacy') === undefined)) return undefined;
    return answers[`${type} ${xmlns}`];
  };
  return {
    name: 'misc',
    handles: (node) => answerTo(node) !== undefined,
    async handle(node, connection) {
      const answer = answerTo(node)?.(node, connection);
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
