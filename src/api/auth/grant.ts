/** What somebody may give to others: nothing that they do not have themselves. Pure. */
import type { ErrorDetail } from '../../contract/errors.ts';
import type { Scope } from '../../contract/operation.ts';
import { narrowedScopes, scopesOf } from '../../contract/roles.ts';
import type { TokenGrant } from '../../store/tokens-store.ts';
import type { Principal } from './principal.ts';

/** What is wrong with a grant, field by field; nothing for one that `giver` may make at the time `now`. */
export function objectionsToGrant(grant: TokenGrant, giver: Principal, now: number): readonly ErrorDetail[] {
  const { role, scopes, sessions, expiresAt } = grant;
  const objections: ErrorDetail[] = [];
  if (!narrowedScopes(role, scopes).every((scope) => giver.scopes.includes(scope))) {
    objections.push({ field: 'role', expected: 'a role that may do no more than you may', received: role });
  }
  const mayDo: readonly Scope[] = scopesOf[role];
  if (scopes?.every((scope) => mayDo.includes(scope)) === false) {
    objections.push({ field: 'scopes', expected: `what the role may do: ${mayDo.join(', ')}` });
  }
  if (role === 'admin' && sessions !== 'all') {
    objections.push({ field: 'sessions', expected: '"*", since an admin is for the gateway as a whole' });
  }
  const own = giver.sessions;
  if (own !== 'all' && (sessions === 'all' || !sessions.every((each) => own.includes(each)))) {
    objections.push({ field: 'sessions', expected: 'sessions that you may use yourself' });
  }
  if (expiresAt !== null && expiresAt <= now) {
    objections.push({ field: 'expires_at', expected: 'a time in the future' });
  }
  return objections;
}
