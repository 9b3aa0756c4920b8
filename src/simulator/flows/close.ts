/** The ways in which the server ends a connection or spoils it. */
import { assertNever } from '../../contract/assert-never.ts';
import type { InstantFault } from '../faults.ts';
import type { LiveConnection } from '../state/live-connections.ts';
import type { Device, User } from '../types.ts';
import type { ClientLink } from '../wire/client-link.ts';
import { element, SERVER_JID } from '../wire/node.ts';
import { announceDevice } from './device-announcements.ts';
import type { Notifications } from './notifications.ts';
import type { WireContext } from './wire-context.ts';

/** The client is to connect anew, as after pairing. */
export function restartStream(link: ClientLink): void {
  endStream(link, { code: '515' });
}

/** Somebody else has logged in with the same keys; this stream error has no code of its own. */
export function replaceStream(link: ClientLink): void {
  endStream(link, {}, 'replaced');
}

/** The companion was unlinked. */
export function removeStream(link: ClientLink): void {
  endStream(link, { code: '401' }, 'device_removed');
}

/** Unlinks a companion for good and tells it and everybody who knows of it. */
export function unlinkDevice(context: WireContext, notifications: Notifications, device: Device): void {
  const connection = context.connections.of(device);
  context.directory.unlink(device);
  context.messaging().onDeviceRemoved?.(device);
  notifications.drop(device);
  context.oracle.deviceGone(device);
  if (connection !== undefined) removeStream(connection.link);
  announceDevice(context, notifications, { tag: 'remove', device });
}

/** Carries out a fault that happens at once, on every live connection of the account; answers on how many. */
export function strike(
  context: WireContext,
  notifications: Notifications,
  blow: { readonly user: User; readonly fault: InstantFault; readonly code: number | undefined },
): number {
  if (blow.fault === 'logout') {
    const devices = [...blow.user.devices.values()];
    for (const device of devices) unlinkDevice(context, notifications, device);
    return devices.length;
  }
  const connections = context.connections.ofUser(blow.user);
  for (const connection of connections) strikeConnection(connection, blow.fault, blow.code ?? 500);
  return connections.length;
}

function strikeConnection({ link }: LiveConnection, fault: Exclude<InstantFault, 'logout'>, code: number): void {
  switch (fault) {
    case 'replaced':
      return replaceStream(link);
    case 'stream_error':
      return endStream(link, { code: String(code) });
    case 'disconnect':
      return link.terminate();
    case 'corrupt_frame':
      return link.sendGarbage();
    case 'stream_end':
      link.send(element('xmlstreamend'));
      return link.close();
    case 'downgrade':
      link.send(element('ib', { from: SERVER_JID }, [element('downgrade_webclient')]));
      return link.close();
    default:
      return assertNever(fault);
  }
}

function endStream(link: ClientLink, attrs: Record<string, string>, conflict?: 'replaced' | 'device_removed'): void {
  link.send(element('stream:error', attrs, conflict === undefined ? [] : [element('conflict', { type: conflict })]));
  link.close();
}
