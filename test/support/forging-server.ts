/**
 * A server that speaks WhatsApp's handshake and pairs whoever comes, with a certificate chain or a device identity that
 * may be forged. It has the simulator's wire, and none of its honesty.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import type { BinaryNode, KeyPair } from '../../src/simulator/types.ts';
import { ClientLink } from '../../src/simulator/wire/client-link.ts';
import { newKeyPair, sign, withoutKeyType } from '../../src/simulator/wire/keys.ts';
import { child, element, SERVER_JID } from '../../src/simulator/wire/node.ts';
import { proto } from '../../src/simulator/wire/proto.ts';

export type ForgedChain = 'none' | 'strange_root' | 'strange_intermediate' | 'key_of_another_server' | 'other_issuer';

export interface ForgingServer {
  readonly wsUrl: string;
  /** What clients are to trust. */
  readonly rootKeyHex: string;
  /** Which chain is shown from now on. */
  forge(chain: ForgedChain): void;
  /** Clients that have begun a handshake, and those that went on to tell who they are. */
  readonly connections: number;
  readonly logins: number;
  /** Clients that took the device identity for that of their account, and signed it. */
  readonly signed: number;
  /** Pairs the client that shows this code, with an account signature of the account or of a stranger. */
  scan(qr: string, signer: 'account' | 'stranger'): void;
  close(): Promise<void>;
}

const accountSignaturePrefix = Buffer.from([6, 0]);

export async function startForgingServer(): Promise<ForgingServer> {
  const root = newKeyPair();
  const staticKey = newKeyPair();
  const rootKeyHex = withoutKeyType(root.pubKey).toString('hex');
  let forged: ForgedChain = 'none';
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const counts = { connections: 0, logins: 0, signed: 0 };
  const links = new Map<string, ClientLink>();
  server.on('connection', (socket) => {
    counts.connections += 1;
    const identity = { rootKeyHex, staticKey, certificateChain: certificateChain(root, staticKey, forged) };
    // It keeps itself alive by its listeners.
    void new ClientLink(socket, identity, {
      answersHello: () => true,
      onHello: (known, hello) => {
        counts.logins += 1;
        links.set(hello.noisePub.toString('base64'), known);
        offerPairing(known);
      },
      onNode: async (_link, node) => {
        if (child(node, 'pair-device-sign') !== undefined) counts.signed += 1;
      },
      onClose: () => undefined,
    });
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    wsUrl: `ws://127.0.0.1:${port}/ws/chat`,
    rootKeyHex,
    forge: (chain) => {
      forged = chain;
    },
    get connections() {
      return counts.connections;
    },
    get logins() {
      return counts.logins;
    },
    get signed() {
      return counts.signed;
    },
    scan: (qr, signer) => {
      const [, noisePub = '', identityKey = '', advSecret = ''] = qr.slice(qr.indexOf('#') + 1).split(',');
      const link = links.get(noisePub);
      if (link === undefined) throw new Error('nobody shows this code');
      const wrapped = deviceIdentity(Buffer.from(identityKey, 'base64'), Buffer.from(advSecret, 'base64'), signer);
      link.send(pairSuccess(wrapped));
    },
    close: async () => {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function certificateChain(root: KeyPair, staticKey: KeyPair, forged: ForgedChain): Uint8Array {
  const intermediate = newKeyPair();
  const stranger = newKeyPair();
  const certificate = (subject: KeyPair, issuer: KeyPair, serials: { serial: number; issuerSerial: number }) => {
    const details = proto.CertChain.NoiseCertificate.Details.encode({
      ...serials,
      key: withoutKeyType(subject.pubKey),
    }).finish();
    return { details, signature: sign(issuer.privKey, details) };
  };
  const subject = forged === 'key_of_another_server' ? stranger : staticKey;
  const leafIssuer = forged === 'strange_intermediate' ? stranger : intermediate;
  return proto.CertChain.encode({
    intermediate: certificate(intermediate, forged === 'strange_root' ? stranger : root, {
      serial: 1,
      issuerSerial: 0,
    }),
    leaf: certificate(subject, leafIssuer, { serial: 2, issuerSerial: forged === 'other_issuer' ? 7 : 1 }),
  }).finish();
}

function offerPairing(link: ClientLink): void {
  const attrs = { from: SERVER_JID, type: 'set', xmlns: 'md', id: 'offer-1' };
  const refs = ['one', 'two', 'three'].map((name) => element('ref', {}, Buffer.from(`2@${name}`)));
  link.send(element('iq', attrs, [element('pair-device', {}, refs)]));
}

function deviceIdentity(identityKey: Uint8Array, advSecret: Uint8Array, signer: 'account' | 'stranger'): Uint8Array {
  const account = newKeyPair();
  const details = proto.ADVDeviceIdentity.encode({ rawId: 1, timestamp: 1_700_000_000, keyIndex: 1 }).finish();
  const message = Buffer.concat([accountSignaturePrefix, details, identityKey]);
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: withoutKeyType(account.pubKey),
    accountSignature: sign(signer === 'account' ? account.privKey : newKeyPair().privKey, message),
  }).finish();
  const hmac = createHmac('sha256', advSecret).update(signed).digest();
  return proto.ADVSignedDeviceIdentityHMAC.encode({ details: signed, hmac }).finish();
}

function pairSuccess(wrapped: Uint8Array): BinaryNode {
  const attrs = { from: SERVER_JID, type: 'set', xmlns: 'md', id: 'success-1', t: '1700000000' };
  return element('iq', attrs, [
    element('pair-success', {}, [
      element('device-identity', {}, wrapped),
      element('device', { jid: '15550009999:1@s.whatsapp.net', lid: '100000000009999:1@lid' }),
      element('platform', { name: 'android' }),
    ]),
  ]);
}
