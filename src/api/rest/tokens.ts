/** The operations on tokens. */
import { WardenError } from '../../contract/errors.ts';
import type { SessionId } from '../../contract/ids.ts';
import type { TokenGrant, TokenRow } from '../../store/tokens-store.ts';
import { objectionsToGrant } from '../auth/grant.ts';
import type { Principal } from '../auth/principal.ts';
import { newTokenId, newTokenValue } from '../auth/token-value.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentToken } from '../presenters/token.ts';
import type { Handlers } from './handler.ts';
import { invalidRequest } from './validation.ts';

type TokenOperationName = 'createToken' | 'listTokens' | 'getToken' | 'updateToken' | 'rotateToken' | 'revokeToken';

export function tokenHandlers({ store, tokens, clock }: ApiDependencies): Handlers<TokenOperationName> {
  const find = async (id: string): Promise<TokenRow> => {
    const row = await store.tokens.find(id);
    if (row === null) throw new WardenError('token_not_found');
    return row;
  };
  const findChangeable = async (id: string): Promise<TokenRow> => {
    const row = await find(id);
    if (row.revokedAt !== null) throw new WardenError('unprocessable', { message: revoked });
    return row;
  };
  const assertGrantable = (grant: TokenGrant, giver: Principal): void => {
    const objections = objectionsToGrant(grant, giver, clock.now());
    if (objections.length > 0) throw invalidRequest(objections);
  };

  return {
    createToken: async ({ params, caller }) => {
      const grant = {
        name: params.name,
        role: params.role,
        scopes: params.scopes,
        sessions: sessionsOf(params.sessions),
        addresses: params.addresses,
        expiresAt: millisecondsOf(params.expires_at),
      };
      assertGrantable(grant, caller.principal);
      const id = newTokenId();
      const { value, digest } = newTokenValue(id);
      const now = clock.now();
      const row = await store.tokens.create({ ...grant, id, digest, createdBy: caller.principal.id, createdAt: now });
      return { ...presentToken(row, now), token: value };
    },

    listTokens: async ({ params }) => {
      const { limit, cursor = null, include_revoked: isWithRevoked } = params;
      const page = await store.tokens.list({ limit, cursor, isWithRevoked });
      const now = clock.now();
      return {
        tokens: page.rows.map((row) => presentToken(row, now)),
        total: page.total,
        next_cursor: page.nextCursor,
      };
    },

    getToken: async ({ params }) => presentToken(await find(params.token_id), clock.now()),

    updateToken: async ({ params, caller }) => {
      const { token_id: id, name, role, scopes, sessions, addresses, expires_at: expiresAt } = params;
      const before = await findChangeable(id);
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(role === undefined ? {} : { role }),
        ...(scopes === undefined ? {} : { scopes }),
        ...(sessions === undefined ? {} : { sessions: sessionsOf(sessions) }),
        ...(addresses === undefined ? {} : { addresses }),
        ...(expiresAt === undefined ? {} : { expiresAt: millisecondsOf(expiresAt) }),
      };
      // A token that has expired may get a new name without getting a new life.
      assertGrantable({ ...before, expiresAt: null, ...change }, caller.principal);
      const row = await store.tokens.update(id, change);
      tokens.forget(id);
      if (row === null) throw new WardenError('token_not_found');
      return presentToken(row, clock.now());
    },

    rotateToken: async ({ params, caller }) => {
      const { token_id: id } = params;
      assertGrantable({ ...(await findChangeable(id)), expiresAt: null }, caller.principal);
      const { value, digest } = newTokenValue(id);
      const row = await store.tokens.rotate(id, digest);
      tokens.forget(id);
      if (row === null) throw new WardenError('token_not_found');
      return { ...presentToken(row, clock.now()), token: value };
    },

    revokeToken: async ({ params }) => {
      const isThere = await store.tokens.revoke(params.token_id, clock.now());
      tokens.forget(params.token_id);
      if (!isThere) throw new WardenError('token_not_found');
      return { success: true, message: 'Token revoked.' };
    },
  };
}

const revoked = 'This token is revoked and stays so; create a new one.';

const sessionsOf = (given: '*' | readonly SessionId[]): 'all' | readonly SessionId[] => (given === '*' ? 'all' : given);

const millisecondsOf = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000);
