/** What the holder of a token may do, by the role of the token. Pure. */
import type { Scope } from './operation.ts';

export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The one table of roles; the superadmin is no role, it is the configured or generated token. */
export const scopesOf = {
  viewer: ['read'],
  operator: ['read', 'send', 'manage'],
  admin: ['read', 'send', 'manage', 'admin'],
} as const satisfies Record<Role, readonly Scope[]>;
