/** Tells everybody who has asked for a user's devices that a companion was linked or unlinked. */
import { lidJid, pnJid } from '../jid.ts';
import type { Device } from '../types.ts';
import { element } from '../wire/node.ts';
import type { Notifications } from './notifications.ts';
import type { WireContext } from './wire-context.ts';

interface Announcement {
  readonly tag: 'add' | 'remove';
  readonly device: Device;
}

/**
 * One notification for the phone number and one for the LID, because clients keep device lists by either; the
 * companion itself is left out.
 */
export function announceDevice(context: WireContext, notifications: Notifications, change: Announcement): void {
  const { user } = change.device;
  const t = String(Math.floor(context.clock.now() / 1000));
  const addresses = [
    { from: pnJid(user.pn), jid: change.device.jid },
    { from: lidJid(user.lid), jid: change.device.lid },
  ];
  for (const watcher of context.watchers.of(user)) {
    for (const device of watcher.devices.values()) {
      if (device === change.device) continue;
      for (const { from, jid } of addresses) {
        const companion = element('device', { jid, 'key-index': String(change.device.keyIndex) });
        const content = element(change.tag, {}, [companion, element('key-index-list', { ts: t })]);
        const attrs = { from, type: 'devices', id: context.stanzaId(), t };
        notifications.push(device, element('notification', attrs, [content]));
      }
    }
  }
}
