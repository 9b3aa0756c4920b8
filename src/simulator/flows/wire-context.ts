/** What the simulator's own flows work with. */
import type { FaultBook } from '../faults.ts';
import type { OwnOracle } from '../oracle.ts';
import type { OwnDirectory } from '../state/directory.ts';
import type { Notifications } from './notifications.ts';
import type { LiveConnections } from '../state/live-connections.ts';
import type { Watchers } from '../state/watchers.ts';
import type { Messaging, PreKeyBundle, SimulatorContext, User } from '../types.ts';

export interface WireContext extends SimulatorContext {
  readonly directory: OwnDirectory;
  readonly connections: LiveConnections;
  readonly faults: FaultBook;
  readonly oracle: OwnOracle;
  readonly watchers: Watchers;
  readonly notifications: Notifications;
  /** `skip` tells clients that they have uploaded enough one-time keys already: for load tests. */
  readonly preKeys: 'real' | 'skip';
  readonly messaging: () => Messaging;
}

/** Bundle of device 0 of a user, by messaging or from the user's signed pre-key alone. */
export function bundleOfPhone(context: WireContext, user: User): PreKeyBundle {
  const bundle = context.messaging().phoneBundle?.(user);
  if (bundle !== undefined) return bundle;
  const { keyId, keyPair, signature } = user.signedPreKey;
  return {
    registrationId: user.registrationId,
    identityKey: user.identity.pubKey.subarray(-32),
    signedPreKey: { keyId, publicKey: keyPair.pubKey.subarray(-32), signature },
  };
}
