/**
 * Verification of XEdDSA signatures by the platform's Ed25519 (https://signal.org/docs/specifications/xeddsa/). In the
 * lean child it stands in for the verifier written in JavaScript, which takes 13 ms of CPU a signature.
 */
import { createPublicKey, verify } from 'node:crypto';

const fieldPrime = 2n ** 255n - 19n;
/** SubjectPublicKeyInfo of an Ed25519 key, up to its 32 bytes (RFC 8410). */
const publicKeyHeader = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Whether `signature` (64 bytes) is one of `message` by the owner of a Curve25519 public key (32 bytes). The sign of the
 * Edwards key travels in the signature's highest bit. Throws a TypeError for lengths that no signature or key has.
 */
export function verifyXEdDsa(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32) throw new TypeError('wrong public key length');
  if (signature.length !== 64) throw new TypeError('wrong signature length');
  const ownSignature = Buffer.from(signature);
  const sign = ownSignature.readUInt8(63) & 0x80;
  ownSignature[63] = ownSignature.readUInt8(63) & 0x7f;
  const edwards = edwardsKey(publicKey, sign);
  const key = createPublicKey({ key: Buffer.concat([publicKeyHeader, edwards]), format: 'der', type: 'spki' });
  return verify(null, message, key, ownSignature);
}

/** The birational map of RFC 7748, section 4.1: y = (u - 1) / (u + 1). */
function edwardsKey(montgomery: Uint8Array, sign: number): Buffer {
  const u = littleEndian(montgomery) & (2n ** 255n - 1n);
  const y = modulo((u - 1n) * inverse(modulo(u + 1n)));
  const bytes = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  bytes[31] = bytes.readUInt8(31) | sign;
  return bytes;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

/** Fermat's little theorem; 0 has none, and stays 0 as in the reference code. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let square = value;
  for (let exponent = fieldPrime - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * square) % fieldPrime;
    square = (square * square) % fieldPrime;
  }
  return result;
}

function modulo(value: bigint): bigint {
  return ((value % fieldPrime) + fieldPrime) % fieldPrime;
}
