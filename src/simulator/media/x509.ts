/**
 * Pure. Writes X.509 certificates (RFC 5280) over EC P-256 keys: an authority that can vouch for loopback addresses
 * only, and servers on such addresses.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  derBitString,
  derBoolean,
  derInteger,
  derObjectId,
  derOctetString,
  derSequence,
  derSet,
  derTagged,
  derText,
  derTime,
} from './der.ts';

export interface Certified {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
}

export interface Validity {
  /** Unix ms. */
  readonly from: number;
  readonly until: number;
}

const ids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** Numbers of the alternatives of GeneralName. */
const dnsName = 2;
const ipAddress = 7;
const authorityName = 'Warden simulator media';

/** A new authority. Its name constraints keep it from vouching for anything but this machine's loopback. */
export function newAuthority(validity: Validity): Certified {
  const { publicKey, privateKey } = newKeys();
  const permitted = [
    derSequence(derTagged(dnsName, 'primitive', Buffer.from('localhost'))),
    derSequence(derTagged(ipAddress, 'primitive', Buffer.of(127, 0, 0, 0, 255, 0, 0, 0))),
    derSequence(derTagged(ipAddress, 'primitive', addressBytes('::1'), Buffer.alloc(16, 0xff))),
  ];
  const body = certificateBody({
    subject: authorityName,
    publicKey,
    validity,
    extensions: [
      critical(ids.basicConstraints, derSequence(derBoolean(true), derInteger(Buffer.of(0)))),
      // keyCertSign and cRLSign: bits 5 and 6.
      critical(ids.keyUsage, derBitString(Buffer.of(0x06), 1)),
      critical(ids.nameConstraints, derSequence(derTagged(0, 'constructed', ...permitted))),
      extension(ids.subjectKeyId, derOctetString(keyId(publicKey))),
    ],
  });
  return certified(body, privateKey, privateKey);
}

/** A certificate for a server on these addresses (names or IP addresses), signed by the authority. */
export function newServerCertificate(
  authority: Certified,
  server: { readonly addresses: readonly string[]; readonly validity: Validity },
): Certified {
  const { publicKey, privateKey } = newKeys();
  const authorityKey = createPrivateKey(authority.privateKeyPem);
  const names = server.addresses.map((address) =>
    isName(address)
      ? derTagged(dnsName, 'primitive', Buffer.from(address))
      : derTagged(ipAddress, 'primitive', addressBytes(address)),
  );
  const body = certificateBody({
    subject: 'localhost',
    publicKey,
    validity: server.validity,
    extensions: [
      critical(ids.basicConstraints, derSequence()),
      // digitalSignature: bit 0.
      critical(ids.keyUsage, derBitString(Buffer.of(0x80), 7)),
      extension(ids.extendedKeyUsage, derSequence(derObjectId(ids.serverAuth))),
      extension(ids.subjectAltName, derSequence(...names)),
      extension(ids.subjectKeyId, derOctetString(keyId(publicKey))),
      extension(
        ids.authorityKeyId,
        derSequence(derTagged(0, 'primitive', keyId(createPublicKey(authority.certificatePem)))),
      ),
    ],
  });
  return certified(body, authorityKey, privateKey);
}

interface CertificateParts {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

function certificateBody({ subject, publicKey, validity, extensions }: CertificateParts): Buffer {
  const version3 = derTagged(0, 'constructed', derInteger(Buffer.of(2)));
  return derSequence(
    version3,
    derInteger(randomBytes(16)),
    signatureAlgorithm(),
    nameOf(authorityName),
    derSequence(derTime(validity.from), derTime(validity.until)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    derTagged(3, 'constructed', derSequence(...extensions)),
  );
}

function certified(body: Buffer, signingKey: KeyObject, privateKey: KeyObject): Certified {
  const certificate = derSequence(body, signatureAlgorithm(), derBitString(sign('sha256', body, signingKey)));
  return {
    certificatePem: pem('CERTIFICATE', certificate),
    privateKeyPem: pem('PRIVATE KEY', privateKey.export({ type: 'pkcs8', format: 'der' })),
  };
}

function newKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function signatureAlgorithm(): Buffer {
  return derSequence(derObjectId(ids.ecdsaWithSha256));
}

function nameOf(commonName: string): Buffer {
  return derSequence(derSet(derSequence(derObjectId(ids.commonName), derText(commonName))));
}

function extension(id: string, value: Buffer): Buffer {
  return derSequence(derObjectId(id), derOctetString(value));
}

function critical(id: string, value: Buffer): Buffer {
  return derSequence(derObjectId(id), derBoolean(true), derOctetString(value));
}

/** SHA-1 of the public key, as RFC 5280 §4.2.1.2 proposes; it identifies, it protects nothing. */
function keyId(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function isName(address: string): boolean {
  return !isIPv4(address) && !address.includes(':');
}

/** An IPv4 address, or the one IPv6 address that is loopback. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  return Buffer.concat([Buffer.alloc(15), Buffer.of(1)]);
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
