/** Answers with the superadmin token, in JSON: it is no part of any page. Whoever asks is written down. */
import { WardenError } from '../../../contract/errors.ts';
import { superadmin } from '../../auth/principal.ts';
import { callerOf } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import type { DashboardForm } from '../form.ts';

export function revealSuperadminForm({ audit, revealSuperadminToken }: DashboardDependencies): DashboardForm {
  return {
    path: '/dashboard/settings/superadmin-token',
    submit: async (ctx) => {
      const { principal, address, requestId } = callerOf(ctx);
      const isAllowed = principal.id === superadmin.id;
      const status = isAllowed ? 200 : 403;
      audit.record({
        principal: principal.id,
        operation: 'revealSuperadminToken',
        session: null,
        target: null,
        address,
        requestId,
        status,
      });
      if (!isAllowed) throw new WardenError('forbidden');
      ctx.body = { token: revealSuperadminToken() };
    },
  };
}
