/** Whom the account has blocked: asked for, changed, and told to all its sessions. */
import { createHash } from 'node:crypto';
import { lidJid } from '../jid.ts';
import type { Blocklist } from '../state/blocklist.ts';
import type { BinaryNode, Connection, Flow, SimulatorContext, User } from '../types.ts';
import { child, element, iqError, iqResult, isIq } from '../wire/node.ts';
import { syncAccount } from './privacy.ts';

export interface BlocklistFlowParts {
  readonly context: SimulatorContext;
  readonly blocklist: Blocklist;
}

export function blocklistFlow(parts: BlocklistFlowParts): Flow {
  return {
    name: 'blocklist',
    handles: (node) => isIq(node, 'blocklist'),
    async handle(node, connection) {
      if (node.attrs['type'] === 'set') change(parts, node, connection);
      else connection.send(iqResult(node, [listNode(parts, connection.device.user)]));
    },
  };
}

function change({ context, blocklist }: BlocklistFlowParts, node: BinaryNode, connection: Connection): void {
  const { user } = connection.device;
  const { jid = '', action = '' } = child(node, 'item')?.attrs ?? {};
  const other = context.directory.byJid(jid);
  if (other === undefined || !['block', 'unblock'].includes(action)) {
    connection.send(iqError(node, 400, 'bad-request'));
    return;
  }
  if (action === 'block') blocklist.add(user, other);
  else blocklist.remove(user, other);
  connection.send(iqResult(node));
  const item = element('item', { jid: lidJid(other.lid), action });
  syncAccount(context, connection.device, element('blocklist', { dhash: hashOf(blocklist, user) }, [item]));
}

function listNode({ blocklist }: BlocklistFlowParts, user: User): BinaryNode {
  const items = blocklist.list(user).map(({ lid }) => element('item', { jid: lidJid(lid) }));
  return element('list', { dhash: hashOf(blocklist, user) }, items);
}

/** By which clients tell whether they know the list. */
function hashOf(blocklist: Blocklist, user: User): string {
  const lids = blocklist.list(user).map(({ lid }) => lid);
  return createHash('sha256').update(lids.join()).digest('hex').slice(0, 16);
}
