import type { ApiDependencies } from '../dependencies.ts';
import { loginUrl } from '../auth/login-links.ts';
import { unixSecondsOf } from '../presenters/session.ts';
import type { Handlers } from './handler.ts';

export function loginLinkHandlers({ links, settings, clock }: ApiDependencies): Handlers<'createLoginLink'> {
  return {
    createLoginLink: async () => ({
      url: loginUrl(settings.baseUrl, links.issue()),
      expires_at: unixSecondsOf(clock.now() + links.lifetimeMs),
    }),
  };
}
