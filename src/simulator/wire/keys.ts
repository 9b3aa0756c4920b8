/** Curve25519 keys and XEdDSA signatures (WASM), and the two forms of a public key: 32 bytes, or 33 with its 05. */
import { createHash } from 'node:crypto';
import { calculateAgreement, calculateSignature, generateKeyPair, verifySignature } from 'whatsapp-rust-bridge';
import type { KeyPair } from '../types.ts';

const KEY_TYPE = 5;

/** The 33-byte form that the Signal engine uses. */
export function withKeyType(publicKey: Uint8Array): Buffer {
  if (publicKey.length === 33) return Buffer.from(publicKey);
  return Buffer.concat([Buffer.of(KEY_TYPE), publicKey]);
}

/** The 32-byte form that stands on the wire. */
export function withoutKeyType(publicKey: Uint8Array): Buffer {
  return Buffer.from(publicKey.length === 33 ? publicKey.subarray(1) : publicKey);
}

/** A new pair; the public key has 33 bytes. */
export function newKeyPair(): KeyPair {
  const { pubKey, privKey } = generateKeyPair();
  return { pubKey, privKey };
}

/** X25519 with a public key in either form. */
export function agree(privateKey: Uint8Array, publicKey: Uint8Array): Buffer {
  return Buffer.from(calculateAgreement(withKeyType(publicKey), privateKey));
}

/** XEdDSA signature, 64 bytes. */
export function sign(privateKey: Uint8Array, message: Uint8Array): Buffer {
  return Buffer.from(calculateSignature(privateKey, message));
}

/** Whether a signature is genuine; false also for malformed keys and signatures. */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifySignature(withKeyType(publicKey), message, signature);
  } catch {
    return false;
  }
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
