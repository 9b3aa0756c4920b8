/** The text of a token: `wdn_<id>_<secret>`. Its prefix lets scanners of secrets find one that has leaked. */
import { createHash, randomBytes } from 'node:crypto';

const idBytes = 8;
/** 43 characters of base64url. */
const secretBytes = 32;
const pattern = /^wdn_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

export interface TokenValue {
  readonly value: string;
  /** SHA-256 of the value: all that is kept of it. */
  readonly digest: Buffer;
}

export const newTokenId = (): string => randomBytes(idBytes).toString('hex');

export function newTokenValue(id: string): TokenValue {
  const value = `wdn_${id}_${randomBytes(secretBytes).toString('base64url')}`;
  return { value, digest: digestOf(value) };
}

/** The id in what may be a token, and its digest; null for what is none. */
export function readTokenValue(text: string): { readonly id: string; readonly digest: Buffer } | null {
  const id = pattern.exec(text)?.[1];
  return id === undefined ? null : { id, digest: digestOf(text) };
}

const digestOf = (value: string): Buffer => createHash('sha256').update(value, 'utf8').digest();
