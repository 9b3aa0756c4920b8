/**
 * What an account's devices know in common (stars, pins, archived chats): the phone shares the keys with a device that
 * is new, and the server takes the encrypted patches of its devices. It cannot read them, and neither does this one.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Outgoing } from '../outgoing.ts';
import type { Device, Flow, SimulatorContext, User } from '../types.ts';
import { proto } from '../wire/proto.ts';
import { child, children, element, iqResult, isIq } from '../wire/node.ts';

const KEY_KIND = 'app-state-key';
const SHARED_KIND = 'app-state-shared';

export interface AppState {
  readonly flow: Flow;
  /** Shares the account's key with a device that has none of it yet. */
  welcome(device: Device): Promise<void>;
  /** The device is gone; whoever is linked in its place is new. */
  forget(device: Device): void;
}

export function createAppState(parts: { readonly context: SimulatorContext; readonly outgoing: Outgoing }): AppState {
  const { context, outgoing } = parts;
  const { records } = context;

  const keyOf = (user: User): Uint8Array => {
    const known = records.get(KEY_KIND, user.lid);
    if (known !== undefined) return known;
    const key = randomBytes(32);
    records.put(KEY_KIND, user.lid, key);
    return key;
  };

  return {
    flow: {
      name: 'app state',
      handles: (node) => isIq(node, 'w:sync:app:state', 'set'),
      async handle(node, connection) {
        const answers = children(child(node, 'sync'), 'collection').map((collection) => {
          const { name = '', version = '0' } = collection.attrs;
          const hasPatch = child(collection, 'patch') !== undefined;
          const reached = hasPatch ? String(Number(version) + 1) : version;
          return element('collection', { name, version: reached, has_more_patches: 'false' });
        });
        connection.send(iqResult(node, [element('sync', {}, answers)]));
      },
    },
    async welcome(device) {
      if (records.get(SHARED_KIND, device.jid) !== undefined) return;
      records.put(SHARED_KIND, device.jid, Buffer.of(1));
      await outgoing.tellDevice(device, keyShare(keyOf(device.user), context.clock.now()));
    },
    forget: (device) => records.delete(SHARED_KIND, device.jid),
  };
}

/** Key ids are six bytes: the phone's device number and a counter. */
function keyShare(keyData: Uint8Array, now: number): Uint8Array {
  const keyId = Buffer.from([0, 0, 0, 0, 0, 1]);
  return proto.Message.encode({
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
      appStateSyncKeyShare: {
        keys: [
          {
            keyId: { keyId },
            keyData: {
              keyData,
              fingerprint: { rawId: randomInt(1, 2 ** 31), currentIndex: 1, deviceIndexes: [0, 1] },
              timestamp: now,
            },
          },
        ],
      },
    },
  }).finish();
}
