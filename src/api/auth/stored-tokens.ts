/**
 * Holders of tokens out of the store. What is known of a token is kept for some seconds, so that a request costs no
 * query; a change made in this process is felt at once, one made by another gateway on the same database after that time.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { narrowedScopes } from '../../contract/roles.ts';
import type { Logger } from '../../log.ts';
import type { TokenRow, TokensStore } from '../../store/tokens-store.ts';
import type { Authenticator, Principal } from './principal.ts';
import { readTokenValue } from './token-value.ts';

export interface StoredTokens extends Authenticator {
  /** Why a token of ours works no more, in words; null for one that works, and for what is none of ours. */
  endOf(token: string): Promise<string | null>;
  /** The token with this id has been changed: it is looked up anew. */
  forget(id: string): void;
  /** The same for all: a session is gone, and with it what tokens were granted of it. */
  forgetAll(): void;
}

interface StoredTokensOptions {
  readonly store: Pick<TokensStore, 'findWithDigest' | 'touch'>;
  readonly clock: Clock;
  readonly log: Logger;
}

type Found = Awaited<ReturnType<TokensStore['findWithDigest']>>;

interface Known {
  readonly found: Promise<Found>;
  /** By the monotonic clock. */
  readonly until: number;
}

const knownMs = 5_000;
/** Made-up ids are remembered like real ones, so that guessing costs no more queries; memory stays bounded. */
const mostKnown = 2_000;
const touchMs = 60_000;

export function createStoredTokens({ store, clock, log }: StoredTokensOptions): StoredTokens {
  const known = new Map<string, Known>();
  const touched = new Map<string, number>();

  const lookUp = (id: string): Promise<Found> => {
    const entry = known.get(id);
    if (entry !== undefined && clock.monotonic() < entry.until) return entry.found;
    const found = store.findWithDigest(id);
    const fresh = { found, until: clock.monotonic() + knownMs };
    known.delete(id);
    known.set(id, fresh);
    for (const oldest of known.keys()) {
      if (known.size <= mostKnown) break;
      known.delete(oldest);
    }
    found.catch(() => {
      if (known.get(id) === fresh) known.delete(id);
    });
    return found;
  };

  const used = ({ id, lastUsedAt }: TokenRow): void => {
    const now = clock.now();
    if (now - Math.max(lastUsedAt ?? 0, touched.get(id) ?? 0) < touchMs) return;
    if (touched.size >= mostKnown) touched.clear();
    touched.set(id, now);
    // When a token was used last is worth no waiting and no failed request.
    store.touch(id, now).catch((error: unknown) => log.debug({ err: error }, 'use of a token was not written down'));
  };

  const principalOfUsed = (found: Found): Principal | null => {
    if (found === null || objectionTo(found.row, clock.now()) !== null) return null;
    used(found.row);
    return principalOf(found.row);
  };

  return {
    authenticate: async (text) => {
      const given = readTokenValue(text);
      if (given === null) return null;
      const found = await lookUp(given.id);
      if (found === null || !isSame(found.digest, given.digest)) return null;
      return principalOfUsed(found);
    },
    principalOf: async (id) => principalOfUsed(await lookUp(id)),
    endOf: async (text) => {
      const given = readTokenValue(text);
      const found = given === null ? null : await lookUp(given.id);
      // Only who holds the token itself is told what has become of it.
      if (given === null || found === null || !isSame(found.digest, given.digest)) return null;
      return objectionTo(found.row, clock.now());
    },
    forget: (id) => void known.delete(id),
    forgetAll: () => known.clear(),
  };
}

function objectionTo({ revokedAt, expiresAt }: TokenRow, now: number): string | null {
  if (revokedAt !== null) return 'This token has been revoked; ask for a new one.';
  return expiresAt !== null && expiresAt <= now ? 'This token has expired; ask for a new one.' : null;
}

const principalOf = ({ id, role, scopes, sessions, addresses }: TokenRow): Principal => ({
  id,
  scopes: narrowedScopes(role, scopes),
  sessions,
  addresses,
});

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
