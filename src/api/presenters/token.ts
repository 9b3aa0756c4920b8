/** What leaves the process of a token, field by field; its value only when it was just made. Pure. */
import type { TokenResource } from '../../contract/operations/tokens.ts';
import { narrowedScopes } from '../../contract/roles.ts';
import type { TokenRow } from '../../store/tokens-store.ts';
import { unixSecondsOf } from './session.ts';

export function presentToken(row: TokenRow, now: number): TokenResource {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    scopes: [...narrowedScopes(row.role, row.scopes)],
    sessions: row.sessions === 'all' ? '*' : [...row.sessions],
    addresses: [...row.addresses],
    status: statusOf(row, now),
    created_by: row.createdBy,
    created_at: unixSecondsOf(row.createdAt),
    expires_at: secondsOrNull(row.expiresAt),
    last_used_at: secondsOrNull(row.lastUsedAt),
    revoked_at: secondsOrNull(row.revokedAt),
  };
}

function statusOf({ revokedAt, expiresAt }: TokenRow, now: number): TokenResource['status'] {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}

const secondsOrNull = (ms: number | null): number | null => (ms === null ? null : unixSecondsOf(ms));
