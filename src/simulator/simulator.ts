/** Puts the simulator together and takes it apart again. */
import { randomBytes } from 'node:crypto';
import { WardenError } from '../contract/errors.ts';
import { ControlServer } from './control.ts';
import { wireControlRoutes } from './control-routes.ts';
import { FaultBook } from './faults.ts';
import { Notifications } from './flows/notifications.ts';
import { askForPreKeys } from './flows/prekeys.ts';
import type { WireContext } from './flows/wire-context.ts';
import { parseJid, phoneDigits } from './jid.ts';
import { MediaDepot } from './media/media-depot.ts';
import { MessageTimes, messageTimesRoute } from './message-times.ts';
import { openMediaFolder } from './media/media-folder.ts';
import { MediaHost } from './media/media-host.ts';
import { mediaTrust } from './media/trust.ts';
import { createOracle } from './oracle.ts';
import { SimulatorServer } from './server.ts';
import { openDirectory } from './state/directory.ts';
import { LiveConnections } from './state/live-connections.ts';
import { openRecords } from './state/records.ts';
import { Watchers } from './state/watchers.ts';
import type { Clock, Messaging, SimulatorContext } from './types.ts';
import { serverIdentity } from './wire/certificates.ts';

export interface SimulatorOptions {
  readonly clock: Clock;
  /** A loopback address. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly controlPort: number;
  /** Of the media host; 0 for the port of the last time, or any free one. */
  readonly mediaPort: number;
  /** Where everything is kept; null keeps it in memory. */
  readonly stateDirectory: string | null;
  /** Of the control API; made up when null. */
  readonly token: string | null;
  readonly preKeys: 'real' | 'skip';
  readonly createMessaging: (context: SimulatorContext) => Messaging;
}

export interface RunningSimulator {
  readonly wsUrl: string;
  readonly controlUrl: string;
  /** The root of trust for clients, 32 bytes as hex. */
  readonly rootKeyHex: string;
  /** `https://…` of the media host. */
  readonly mediaUrl: string;
  /** A PEM file with the authority that clients must trust to reach the media host. */
  readonly mediaCaPath: string;
  readonly token: string;
  stop(): Promise<void>;
}

/** Starts a simulator; answers when its ports listen. */
export async function startSimulator(options: SimulatorOptions): Promise<RunningSimulator> {
  const { clock, host } = options;
  const records = openRecords(options.stateDirectory);
  const identity = serverIdentity(records, clock.now());
  let messaging: Messaging | null = null;
  const parts = { messaging: () => messaging ?? unready('messaging') };
  const directory = openDirectory(records, {
    onUserCreated: (user) => messaging?.onUserCreated?.(user),
    onBundleTaken: (device, left) => askForPreKeys(context, device, left),
  });
  const connections = new LiveConnections();
  const oracle = createOracle();
  const notifications = new Notifications({ records, connections, oracle });
  let controlUrl: string | null = null;
  const faults = new FaultBook(clock);
  const trust = mediaTrust(records, host, clock.now());
  const folder = openMediaFolder(options.stateDirectory, trust.authorityPem);
  const media = new MediaDepot({ records, clock, directory, folder: folder.path });
  const times = new MessageTimes();
  const context: WireContext = {
    ...parts,
    clock,
    directory,
    connections,
    faults,
    oracle,
    notifications,
    notify: (device, node) => notifications.push(device, node),
    controlUrl: () => controlUrl ?? unready('the control API'),
    records,
    media,
    times,
    watchers: new Watchers(records, directory),
    preKeys: options.preKeys,
    stanzaId: stanzaIds(clock.now()),
    account(phone) {
      const digits = phoneDigits(parseJid(phone)?.user ?? phone);
      const user = directory.byJid(phone) ?? (digits === undefined ? undefined : directory.byPn(digits));
      if (user?.kind !== 'account') {
        throw new WardenError('not_paired', { message: 'No session is paired with a phone of this number.' });
      }
      return user;
    },
  };
  messaging = options.createMessaging(context);
  const server = new SimulatorServer(context, identity);
  const mediaHost = new MediaHost({ depot: media, faults, directory, records, trust });
  const token = options.token ?? randomBytes(24).toString('base64url');
  const control = new ControlServer(token, [
    ...wireControlRoutes(context, server),
    ...messaging.controlRoutes,
    messageTimesRoute(times),
  ]);
  const stop = async () => {
    await Promise.all([server.close(), control.close(), mediaHost.close()]);
    await messaging?.close();
    folder.close();
    records.close();
  };
  try {
    await mediaHost.listen(host, options.mediaPort);
    const port = await server.listen(host, options.port);
    const controlPort = await control.listen(host, options.controlPort);
    const urlHost = host.includes(':') ? `[${host}]` : host;
    controlUrl = `http://${urlHost}:${controlPort}`;
    return {
      wsUrl: `ws://${urlHost}:${port}/ws/chat`,
      controlUrl,
      rootKeyHex: identity.rootKeyHex,
      mediaUrl: media.urlOf(''),
      mediaCaPath: folder.authorityPath,
      token,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function unready(part: string): never {
  throw new Error(`${part} is asked for before it is there`);
}

/** Ids that do not repeat and that sort in the order in which they were made, also over a restart. */
function stanzaIds(startedAtMs: number): () => string {
  const prefix = startedAtMs.toString(36).padStart(9, '0');
  let count = 0;
  return () => `${prefix}-${String((count += 1)).padStart(9, '0')}`;
}
