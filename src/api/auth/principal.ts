/** Who makes a request and what they may do. Pure. */
import type { SessionId } from '../../contract/ids.ts';
import type { Scope } from '../../contract/operation.ts';

export interface Principal {
  /** For logs and audit; never the token. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly sessions: 'all' | readonly SessionId[];
  /** Networks and addresses to come from; absent or none: from anywhere. */
  readonly addresses?: readonly string[];
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

/** What narrows a list of sessions to those that somebody may see. */
export function visibleTo({ sessions }: Principal): { readonly only?: readonly SessionId[] } {
  return sessions === 'all' ? {} : { only: sessions };
}

export const superadmin: Principal = {
  id: 'superadmin',
  scopes: ['read', 'send', 'manage', 'admin'],
  sessions: 'all',
};
