/** Creates and revokes tokens without scripts; the value of a new one is on the page that answers, and nowhere else. */
import { operations } from '../../../contract/index.ts';
import { roles } from '../../../contract/roles.ts';
import { callerOf } from '../../caller.ts';
import type { RequestContext } from '../../state.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField } from '../form-body.ts';
import { problemsOf, type DashboardForm } from '../form.ts';
import { assertAllowed, pageCall, pageFrame } from '../page.ts';
import { settingsModel, settingsPage, type NewTokenValues } from '../pages/settings.ts';
import { redirect } from '../sign-in.ts';
import { expiresAtOf, expiryOf } from '../token-expiry.ts';

export function createTokenForm(dependencies: DashboardDependencies): DashboardForm {
  const { run, render, clock } = dependencies;
  const page = settingsPage(dependencies);
  return {
    path: '/dashboard/settings/tokens',
    submit: async (ctx) => {
      const { principal } = pageCall(ctx);
      assertAllowed(principal, operations.createToken.scope, null);
      const values = valuesOf(ctx);
      const frame = pageFrame(page, dependencies, ctx);
      ctx.type = 'text/html';
      try {
        const input = inputOf(values, clock.now());
        const signal = AbortSignal.timeout(operations.createToken.deadlineMs);
        const answer = { input, row: null, upload: null, key: null, caller: callerOf(ctx), signal };
        const token = operations.createToken.result.parse(await run('createToken', answer));
        ctx.body = render('settings/token-created.njk', { token, baseUrl: dependencies.settings.baseUrl, page: frame });
      } catch (error) {
        const problems = problemsOf(error);
        ctx.status = 422;
        const model = await settingsModel(dependencies, principal, { values, problems });
        ctx.body = render(page.template, { ...model, page: frame });
      }
    },
  };
}

export function revokeTokenForm({ run }: DashboardDependencies): DashboardForm {
  return {
    path: '/dashboard/settings/tokens/:token_id/revoke',
    submit: async (ctx) => {
      const { principal, params } = pageCall(ctx);
      assertAllowed(principal, operations.revokeToken.scope, null);
      const signal = AbortSignal.timeout(operations.revokeToken.deadlineMs);
      const input = { token_id: params['token_id'] ?? '' };
      await run('revokeToken', { input, row: null, upload: null, key: null, caller: callerOf(ctx), signal });
      redirect(ctx, `/dashboard/settings?notice=${encodeURIComponent('The token is revoked.')}`);
    },
  };
}

function valuesOf(ctx: RequestContext): NewTokenValues {
  const role = formField(ctx, 'role');
  return {
    name: formField(ctx, 'name').trim(),
    role: roles.find((each) => each === role) ?? 'viewer',
    reach: formField(ctx, 'reach') === 'all' ? 'all' : 'some',
    sessions: formField(ctx, 'sessions').trim(),
    expiry: expiryOf(formField(ctx, 'expiry')),
    addresses: formField(ctx, 'addresses').trim(),
  };
}

/** As a client of the API would write it; the operation's own schema says what is wrong. */
function inputOf({ name, role, reach, sessions, expiry, addresses }: NewTokenValues, now: number): unknown {
  return {
    name,
    role,
    sessions: reach === 'all' ? '*' : wordsOf(sessions),
    expires_at: expiresAtOf(expiry, now),
    addresses: wordsOf(addresses),
  };
}

const wordsOf = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');
