/** How users and their companions are written down; the reading side trusts nothing. */
import { z } from 'zod';
import type { KeyPair, SignedKeyPair } from '../types.ts';

const bytes = z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64'));
const keyPair = z.object({ pubKey: bytes, privKey: bytes });

const userRecord = z.object({
  pn: z.string(),
  lid: z.string(),
  kind: z.enum(['account', 'contact']),
  name: z.string(),
  registered: z.boolean(),
  identity: keyPair,
  registrationId: z.int(),
  signedPreKey: z.object({ keyId: z.int(), keyPair, signature: bytes }),
  /** How many companions were ever linked. */
  links: z.int(),
});

const deviceRecord = z.object({
  pn: z.string(),
  id: z.int(),
  keyIndex: z.int(),
  noisePub: bytes,
  identityKey: bytes,
  registrationId: z.int(),
  signedPreKey: z.object({ keyId: z.int(), publicKey: bytes, signature: bytes }),
});

export type UserRecord = z.output<typeof userRecord>;
export type DeviceRecord = z.output<typeof deviceRecord>;

export function parseUserRecord(value: Uint8Array): UserRecord {
  return userRecord.parse(JSON.parse(Buffer.from(value).toString('utf8')));
}

export function parseDeviceRecord(value: Uint8Array): DeviceRecord {
  return deviceRecord.parse(JSON.parse(Buffer.from(value).toString('utf8')));
}

export function writeUserRecord(user: UserRecord): Buffer {
  const { identity, signedPreKey, ...plain } = user;
  return json({ ...plain, identity: writtenPair(identity), signedPreKey: writtenSignedPair(signedPreKey) });
}

export function writeDeviceRecord(device: DeviceRecord): Buffer {
  const { noisePub, identityKey, signedPreKey, ...plain } = device;
  return json({
    ...plain,
    noisePub: base64(noisePub),
    identityKey: base64(identityKey),
    signedPreKey: {
      keyId: signedPreKey.keyId,
      publicKey: base64(signedPreKey.publicKey),
      signature: base64(signedPreKey.signature),
    },
  });
}

function writtenPair(pair: KeyPair) {
  return { pubKey: base64(pair.pubKey), privKey: base64(pair.privKey) };
}

function writtenSignedPair(pair: SignedKeyPair) {
  return { keyId: pair.keyId, keyPair: writtenPair(pair.keyPair), signature: base64(pair.signature) };
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}
