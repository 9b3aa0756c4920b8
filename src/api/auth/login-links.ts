/** One-time links with which a browser signs in: they are printed where only an operator reads, and work once. */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';

/** Where the link with this secret leads. */
export const loginUrl = (baseUrl: string, secret: string): string => `${baseUrl}/dashboard/login?t=${secret}`;

export interface LoginLinks {
  readonly lifetimeMs: number;
  /** The secret part of a new link; good for 15 minutes and for one use. */
  issue(): string;
  /** Whether this was a link that had not been used and was not too old; it is used up then. */
  consume(secret: string): boolean;
}

const lifetimeMs = 15 * 60_000;
/** More open links than anybody needs; the oldest goes first. */
const mostOpen = 20;
const secretBytes = 16;

/** Links live in memory: a restart of the gateway prints a new one. */
export function createLoginLinks(clock: Clock): LoginLinks {
  const open = new Map<string, number>();
  return {
    lifetimeMs,
    issue: () => {
      const secret = randomBytes(secretBytes).toString('base64url');
      open.set(digestOf(secret), clock.monotonic() + lifetimeMs);
      for (const oldest of open.keys()) {
        if (open.size <= mostOpen) break;
        open.delete(oldest);
      }
      return secret;
    },
    consume: (secret) => {
      const digest = digestOf(secret);
      const until = open.get(digest);
      open.delete(digest);
      return until !== undefined && clock.monotonic() < until;
    },
  };
}

/** Looked up by digest, so that a lookup tells nothing by the time that it takes. */
const digestOf = (secret: string): string => createHash('sha256').update(secret, 'utf8').digest('base64url');
