/** What the holder of a token may do, by the role of the token. Pure. */
import type { Scope } from './operation.ts';

/** All there are. */
export const scopes = ['read', 'send', 'manage', 'admin'] as const satisfies readonly Scope[];

export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The one table of roles; the superadmin is no role, it is the configured or generated token. */
export const scopesOf = {
  viewer: ['read'],
  operator: ['read', 'send', 'manage'],
  admin: ['read', 'send', 'manage', 'admin'],
} as const satisfies Record<Role, readonly Scope[]>;

/** What is left of a role that is narrowed to some scopes; null narrows nothing. */
export function narrowedScopes(role: Role, only: readonly Scope[] | null): readonly Scope[] {
  return only === null ? scopesOf[role] : scopesOf[role].filter((scope) => only.includes(scope));
}
