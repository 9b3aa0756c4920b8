/** Who makes a request and what they may do. Pure. */
import type { SessionId } from '../../contract/ids.ts';
import type { Scope } from '../../contract/operation.ts';

export interface Principal {
  /** For logs and audit; never the token. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly sessions: 'all' | readonly SessionId[];
}

export interface Authenticator {
  /** Who holds this token, or null when nobody does. */
  authenticate(token: string): Promise<Principal | null>;
  /** Who has this id by now; null when there is nobody any more. */
  principalOf(id: string): Promise<Principal | null>;
}

/** Default deny: the scope must be granted, and the session too where the route names one. */
export function isAllowed(principal: Principal, scope: Scope, session: SessionId | null): boolean {
  if (!principal.scopes.includes(scope)) return false;
  if (principal.sessions === 'all') return true;
  return session !== null && principal.sessions.includes(session);
}

export const superadmin: Principal = {
  id: 'superadmin',
  scopes: ['read', 'send', 'manage', 'admin'],
  sessions: 'all',
};
