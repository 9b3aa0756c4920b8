/** Everybody who can be somebody: the superadmin, and the holders of stored tokens. */
import type { Authenticator } from './principal.ts';

/** The first that knows the holder of a token, or an id, answers; what one throws ends the search. */
export function firstOf(authenticators: readonly Authenticator[]): Authenticator {
  return {
    authenticate: async (token) => {
      for (const each of authenticators) {
        const principal = await each.authenticate(token);
        if (principal !== null) return principal;
      }
      return null;
    },
    principalOf: async (id) => {
      for (const each of authenticators) {
        const principal = await each.principalOf(id);
        if (principal !== null) return principal;
      }
      return null;
    },
  };
}
