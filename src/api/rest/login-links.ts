import type { ApiDependencies } from '../dependencies.ts';
import { loginUrl } from '../auth/login-links.ts';
import { unixSecondsOf } from '../presenters/session.ts';
import type { Handlers } from './handler.ts';

export function loginLinkHandlers({ links, settings, clock }: ApiDependencies): Handlers<'createLoginLink'> {
  return {
    // It signs in whoever asked for it, and nobody who may do more.
    createLoginLink: async ({ caller }) => ({
      url: loginUrl(settings.baseUrl, links.issue(caller.principal.id)),
      expires_at: unixSecondsOf(clock.now() + links.lifetimeMs),
    }),
  };
}
