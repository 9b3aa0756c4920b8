/** What sessions set of their account: what others may see and do, and how long messages in new chats live. */
import type { Privacy } from '../state/privacy.ts';
import type { Profiles } from '../state/profiles.ts';
import type { BinaryNode, Connection, Device, Flow, SimulatorContext } from '../types.ts';
import { child, children, element, iqResult, isIq, SERVER_JID } from '../wire/node.ts';

export interface PrivacyFlowParts {
  readonly context: SimulatorContext;
  readonly privacy: Privacy;
  readonly profiles: Profiles;
}

/** The namespace is also that of the privacy tokens, which have a flow of their own. */
export function privacyFlow({ privacy }: PrivacyFlowParts): Flow {
  return {
    name: 'privacy',
    handles: (node) => isIq(node, 'privacy') && child(node, 'privacy') !== undefined,
    async handle(node, connection) {
      const { user } = connection.device;
      if (node.attrs['type'] === 'set') {
        for (const { attrs } of children(child(node, 'privacy'), 'category')) {
          privacy.set(user, attrs['name'] ?? '', attrs['value'] ?? '');
        }
      }
      const categories = privacy.all(user).map(({ name, value }) => element('category', { name, value }));
      connection.send(iqResult(node, [element('privacy', {}, categories)]));
    },
  };
}

export function disappearingModeFlow(parts: PrivacyFlowParts): Flow {
  return {
    name: 'disappearing mode',
    handles: (node) => isIq(node, 'disappearing_mode', 'set'),
    handle: async (node, connection) => setDisappearingMode(parts, node, connection),
  };
}

function setDisappearingMode({ context, profiles }: PrivacyFlowParts, node: BinaryNode, connection: Connection): void {
  const disappearingS = Number(child(node, 'disappearing_mode')?.attrs['duration']) || 0;
  const disappearingAt = Math.floor(context.clock.now() / 1000);
  profiles.change(connection.device.user, { disappearingS, disappearingAt });
  connection.send(iqResult(node));
  const attrs = { duration: String(disappearingS), t: String(disappearingAt) };
  syncAccount(context, connection.device, element('disappearing_mode', attrs));
}

/** Tells all companions of the account, the one that made it included, of a change of the account. */
export function syncAccount(context: SimulatorContext, { user }: Device, change: BinaryNode): void {
  const t = String(Math.floor(context.clock.now() / 1000));
  for (const device of user.devices.values()) {
    const attrs = { from: SERVER_JID, type: 'account_sync', id: context.stanzaId(), t };
    context.notify(device, element('notification', attrs, [change]));
  }
}
