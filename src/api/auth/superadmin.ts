/**
 * The superadmin token in its two forms: the configured string itself, and a JWT signed with the gateway's secret
 * (HS256, `sub` and `role` "superadmin", `iat`, `exp`).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { superadmin, type Authenticator } from './principal.ts';

const clockToleranceSeconds = 60;
/** Longer than any token we issue; keeps hashing and parsing cheap for junk. */
const longestToken = 4096;

const headerSchema = z.object({
  alg: z.literal('HS256'),
  typ: z.literal('JWT').optional(),
  // RFC 7515: a receiver that does not understand a critical extension must refuse the token; we understand none.
  crit: z.undefined().optional(),
});
const claimsSchema = z.object({
  sub: z.literal('superadmin'),
  role: z.literal('superadmin'),
  iat: z.number(),
  exp: z.number(),
});

interface SuperadminOptions {
  readonly superadminToken: string;
  readonly jwtSecret: string;
  readonly clock: Clock;
}

export function createSuperadminAuth({ superadminToken, jwtSecret, clock }: SuperadminOptions): Authenticator {
  const expected = digest(superadminToken);
  return {
    authenticate: async (token) => {
      if (token.length === 0 || token.length > longestToken) return null;
      // Digests have one length; comparing them tells nothing of where two tokens differ.
      if (timingSafeEqual(digest(token), expected)) return superadmin;
      return isSuperadminJwt(token, jwtSecret, clock) ? superadmin : null;
    },
    principalOf: async (id) => (id === superadmin.id ? superadmin : null),
  };
}

function isSuperadminJwt(token: string, secret: string, clock: Clock): boolean {
  try {
    const now = Math.floor(clock.now() / 1000);
    const { header, payload } = jwt.verify(token, secret, {
      algorithms: ['HS256'],
      complete: true,
      clockTimestamp: now,
      clockTolerance: clockToleranceSeconds,
    });
    if (!headerSchema.safeParse(header).success) return false;
    const claims = claimsSchema.safeParse(payload);
    return claims.success && claims.data.iat <= now + clockToleranceSeconds;
  } catch {
    return false;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
