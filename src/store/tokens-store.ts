/** What may be asked of the stored tokens. Times are unix milliseconds. */
import type { SessionId } from '../contract/ids.ts';
import type { Scope } from '../contract/operation.ts';
import type { Role } from '../contract/roles.ts';
import type { Page, PageRequest } from './store.ts';

/** What a token is good for. */
export interface TokenGrant {
  readonly name: string;
  readonly role: Role;
  /** Of what the role may do, only this; null for all of it. */
  readonly scopes: readonly Scope[] | null;
  readonly sessions: 'all' | readonly SessionId[];
  /** Networks and addresses from which it may be used; none: from anywhere. */
  readonly addresses: readonly string[];
  readonly expiresAt: number | null;
}

export interface TokenRow extends TokenGrant {
  readonly id: string;
  /** `superadmin`, or the id of a token. */
  readonly createdBy: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

export interface NewToken extends TokenGrant {
  readonly id: string;
  /** SHA-256 of the whole token. */
  readonly digest: Buffer;
  readonly createdBy: string;
  readonly createdAt: number;
}

export interface TokensStore {
  /** Throws `invalid_request` that names the sessions which do not exist. */
  create(token: NewToken): Promise<TokenRow>;
  find(id: string): Promise<TokenRow | null>;
  /** The same with the digest of its value. */
  findWithDigest(id: string): Promise<{ readonly row: TokenRow; readonly digest: Uint8Array } | null>;
  /** Newest first; throws `invalid_request` for a cursor that is not ours. */
  list(page: PageRequest & { readonly isWithRevoked: boolean }): Promise<Page<TokenRow>>;
  /** Absent keys stay as they are; null for a token that is gone or revoked. Throws as `create` does. */
  update(id: string, change: Partial<TokenGrant>): Promise<TokenRow | null>;
  /** Signs out the browsers that came in with the old value; null for a token that is gone or revoked. */
  rotate(id: string, digest: Buffer): Promise<TokenRow | null>;
  /** Signs out its browsers, too; false when there is no such token. One that is revoked stays as it is. */
  revoke(id: string, now: number): Promise<boolean>;
  /** It was used now; an instant that is known is moved only when it lies a minute back. */
  touch(id: string, now: number): Promise<void>;
}
