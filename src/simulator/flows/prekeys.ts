/** Pre-keys: what companions upload, and the bundles with which others open Signal sessions with them. */
import type { OneTimeKey } from '../state/pre-keys.ts';
import type { BinaryNode, Device, Flow, PreKeyBundle, User } from '../types.ts';
import { parseJid } from '../jid.ts';
import {
  bigEndian,
  bytesOf,
  child,
  children,
  element,
  iqError,
  iqResult,
  isIq,
  SERVER_JID,
  uintOf,
} from '../wire/node.ts';
import { sha256 } from '../wire/keys.ts';
import { bundleOfPhone, type WireContext } from './wire-context.ts';

/** With fewer one-time keys left a companion is asked for more. */
const lowPreKeyCount = 10;
/** What clients are told when uploads are skipped: more than the number at which they upload. */
const skippedPreKeyCount = 30;
const keyType = Buffer.of(5);

export function createPreKeysFlow(context: WireContext): Flow {
  return {
    name: 'pre-keys',
    handles: (node) => isIq(node, 'encrypt'),
    async handle(node, connection) {
      const { device } = connection;
      const request = child(node);
      switch (node.attrs['type'] === 'get' ? request?.tag : `set ${request?.tag}`) {
        case 'count': {
          const count = context.preKeys === 'skip' ? skippedPreKeyCount : context.directory.preKeyCount(device);
          connection.send(iqResult(node, [element('count', { value: String(count) })]));
          return;
        }
        case 'digest':
          connection.send(iqResult(node, [digestOf(context, device)]));
          context.connections.markUsable(device);
          return;
        case 'key':
          connection.send(iqResult(node, [bundles(context, request, device.user)]));
          return;
        case 'set rotate':
          context.directory.rotateSignedPreKey(device, signedPreKeyOf(child(request, 'skey')));
          connection.send(iqResult(node));
          return;
        case 'set registration':
          context.directory.addPreKeys(device, children(child(node, 'list'), 'key').map(oneTimeKeyOf));
          context.directory.rotateSignedPreKey(device, signedPreKeyOf(child(node, 'skey')));
          connection.send(iqResult(node));
          return;
        default:
          context.oracle.unknownStanza(device.user, `iq xmlns=encrypt <${request?.tag ?? ''}>`);
          connection.send(iqError(node, 501, 'feature-not-implemented'));
      }
    },
  };
}

/** Asks a companion that is there for more one-time keys when it has few left. */
export function askForPreKeys(context: WireContext, device: Device, left: number): void {
  if (left >= lowPreKeyCount || context.preKeys === 'skip') return;
  const attrs = {
    from: SERVER_JID,
    type: 'encrypt',
    id: context.stanzaId(),
    t: String(Math.floor(context.clock.now() / 1000)),
  };
  const count = element('count', { value: String(left) });
  context.connections.of(device)?.send(element('notification', attrs, [count]));
}

/** `<list>` with a bundle for each device that was asked for and exists. */
function bundles(context: WireContext, request: BinaryNode | undefined, asking: User): BinaryNode {
  const users = children(request, 'user').flatMap((entry) => {
    const jid = entry.attrs['jid'] ?? '';
    const user = context.directory.byJid(jid);
    if (user === undefined || !user.registered) return [];
    context.watchers.add(user, asking);
    if ((parseJid(jid)?.device ?? 0) === 0) return [bundleNode(jid, bundleOfPhone(context, user))];
    const device = context.directory.device(jid);
    return device === undefined ? [] : [bundleNode(jid, context.directory.takeBundle(device))];
  });
  return element('list', {}, users);
}

function bundleNode(jid: string, bundle: PreKeyBundle): BinaryNode {
  const { registrationId, identityKey, signedPreKey, preKey } = bundle;
  const content = [
    element('registration', {}, bigEndian(registrationId, 4)),
    element('type', {}, keyType),
    element('identity', {}, Buffer.from(identityKey)),
    signedPreKeyNode(signedPreKey),
  ];
  if (preKey !== undefined) {
    const key = [element('id', {}, bigEndian(preKey.keyId, 3)), element('value', {}, Buffer.from(preKey.publicKey))];
    content.push(element('key', {}, key));
  }
  return element('user', { jid }, content);
}

function signedPreKeyNode({ keyId, publicKey, signature }: PreKeyBundle['signedPreKey']): BinaryNode {
  return element('skey', {}, [
    element('id', {}, bigEndian(keyId, 3)),
    element('value', {}, Buffer.from(publicKey)),
    element('signature', {}, Buffer.from(signature)),
  ]);
}

function digestOf(context: WireContext, device: Device): BinaryNode {
  const signedPreKey = context.directory.signedPreKey(device);
  const hash = sha256(device.identityKey, signedPreKey.publicKey, signedPreKey.signature).subarray(0, 20);
  return element('digest', {}, [
    element('registration', {}, bigEndian(device.registrationId, 4)),
    element('type', {}, keyType),
    element('identity', {}, Buffer.from(device.identityKey)),
    signedPreKeyNode(signedPreKey),
    element('hash', {}, hash),
  ]);
}

function oneTimeKeyOf(node: BinaryNode): OneTimeKey {
  return { keyId: uintOf(child(node, 'id')), publicKey: bytesOf(child(node, 'value')) };
}

function signedPreKeyOf(node: BinaryNode | undefined): PreKeyBundle['signedPreKey'] {
  return {
    keyId: uintOf(child(node, 'id')),
    publicKey: Buffer.from(bytesOf(child(node, 'value'))),
    signature: Buffer.from(bytesOf(child(node, 'signature'))),
  };
}
