/** The ADV identities with which a phone vouches for a companion, and the companion for itself. */
import { createHmac, randomInt } from 'node:crypto';
import type { DeviceSeat, Registration } from '../state/directory.ts';
import type { User } from '../types.ts';
import { isSignedBy, sign, withoutKeyType } from '../wire/keys.ts';
import { proto } from '../wire/proto.ts';

const accountSignaturePrefix = Buffer.from([6, 0]);
const deviceSignaturePrefix = Buffer.from([6, 1]);

export interface Voucher {
  /** ADVDeviceIdentity, which both signatures cover. */
  readonly details: Uint8Array;
  /** ADVSignedDeviceIdentityHMAC, the content of `<device-identity>` in pair-success. */
  readonly wrapped: Uint8Array;
}

interface Applicant {
  readonly user: User;
  readonly seat: DeviceSeat;
  readonly registration: Registration;
  /** Shared with the client by the QR code or by the link code. */
  readonly advSecret: Uint8Array;
  readonly nowMs: number;
}

/** What the phone signs for a new companion. */
export function vouchFor({ user, seat, registration, advSecret, nowMs }: Applicant): Voucher {
  const details = proto.ADVDeviceIdentity.encode({
    rawId: randomInt(1, 2 ** 31),
    timestamp: Math.floor(nowMs / 1000),
    keyIndex: seat.keyIndex,
  }).finish();
  const message = Buffer.concat([accountSignaturePrefix, details, registration.identityKey]);
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: withoutKeyType(user.identity.pubKey),
    accountSignature: sign(user.identity.privKey, message),
  }).finish();
  const hmac = createHmac('sha256', advSecret).update(signed).digest();
  return { details, wrapped: proto.ADVSignedDeviceIdentityHMAC.encode({ details: signed, hmac }).finish() };
}

interface Countersigned {
  readonly user: User;
  readonly registration: Registration;
  readonly voucher: Voucher;
  /** ADVSignedDeviceIdentity from the client's pair-device-sign. */
  readonly answer: Uint8Array;
}

/** Whether the companion has signed the very identity that the phone vouched for. */
export function isCountersigned({ user, registration, voucher, answer }: Countersigned): boolean {
  const { details, deviceSignature } = proto.ADVSignedDeviceIdentity.decode(answer);
  if (!details || !deviceSignature || !Buffer.from(details).equals(voucher.details)) return false;
  const accountKey = withoutKeyType(user.identity.pubKey);
  const message = Buffer.concat([deviceSignaturePrefix, details, registration.identityKey, accountKey]);
  return isSignedBy(registration.identityKey, message, deviceSignature);
}
