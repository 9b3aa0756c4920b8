/** The simulator's own trust chain: root → intermediate → leaf (the server's static key). */
import type { KeyPair, Records } from '../types.ts';
import { newKeyPair, sign, withoutKeyType } from './keys.ts';
import { proto } from './proto.ts';

const dayS = 86_400;
/** The issuer serial that clients expect of the intermediate certificate. */
const rootSerial = 0;
const intermediateSerial = 1;
const leafSerial = 2;

export interface ServerIdentity {
  /** What clients must trust, 32 bytes as hex. */
  readonly rootKeyHex: string;
  readonly staticKey: KeyPair;
  /** Protobuf CertChain. */
  readonly certificateChain: Uint8Array;
}

/** The keys of this server, made once and kept in the records, and a chain over them that is valid from `nowMs`. */
export function serverIdentity(records: Records, nowMs: number): ServerIdentity {
  const root = keptKeyPair(records, 'root');
  const intermediate = keptKeyPair(records, 'intermediate');
  const staticKey = keptKeyPair(records, 'static');
  const nowS = Math.floor(nowMs / 1000);
  const certificate = (subject: KeyPair, issuer: KeyPair, serials: { serial: number; issuerSerial: number }) => {
    const details = proto.CertChain.NoiseCertificate.Details.encode({
      ...serials,
      key: withoutKeyType(subject.pubKey),
      notBefore: nowS - dayS,
      notAfter: nowS + 3650 * dayS,
    }).finish();
    return { details, signature: sign(issuer.privKey, details) };
  };
  return {
    rootKeyHex: withoutKeyType(root.pubKey).toString('hex'),
    staticKey,
    certificateChain: proto.CertChain.encode({
      intermediate: certificate(intermediate, root, { serial: intermediateSerial, issuerSerial: rootSerial }),
      leaf: certificate(staticKey, intermediate, { serial: leafSerial, issuerSerial: intermediateSerial }),
    }).finish(),
  };
}

function keptKeyPair(records: Records, name: string): KeyPair {
  const kept = records.get('server-key', name);
  if (kept?.length === 65) return { pubKey: kept.subarray(0, 33), privKey: kept.subarray(33) };
  const pair = newKeyPair();
  records.put('server-key', name, Buffer.concat([pair.pubKey, pair.privKey]));
  return pair;
}
