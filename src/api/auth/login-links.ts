/** One-time links with which a browser signs in: they are printed where only an operator reads, and work once. */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';

/** Where the link with this secret leads. */
export const loginUrl = (baseUrl: string, secret: string): string => `${baseUrl}/dashboard/login?t=${secret}`;

export interface LoginLinks {
  readonly lifetimeMs: number;
  /** The secret part of a new link that signs in who has this id; good for 15 minutes and for one use. */
  issue(principal: string): string;
  /** Whom the link signs in, and it is used up then; null when it was used already or is too old. */
  consume(secret: string): string | null;
}

const lifetimeMs = 15 * 60_000;
/** More open links than anybody needs; the oldest goes first. */
const mostOpen = 20;
const secretBytes = 16;

/** Links live in memory: a restart of the gateway prints a new one. */
export function createLoginLinks(clock: Clock): LoginLinks {
  const open = new Map<string, { readonly principal: string; readonly until: number }>();
  return {
    lifetimeMs,
    issue: (principal) => {
      const secret = randomBytes(secretBytes).toString('base64url');
      open.set(digestOf(secret), { principal, until: clock.monotonic() + lifetimeMs });
      for (const oldest of open.keys()) {
        if (open.size <= mostOpen) break;
        open.delete(oldest);
      }
      return secret;
    },
    consume: (secret) => {
      const digest = digestOf(secret);
      const link = open.get(digest);
      open.delete(digest);
      return link !== undefined && clock.monotonic() < link.until ? link.principal : null;
    },
  };
}

/** Looked up by digest, so that a lookup tells nothing by the time that it takes. */
const digestOf = (secret: string): string => createHash('sha256').update(secret, 'utf8').digest('base64url');
