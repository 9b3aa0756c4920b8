/** Asks for a pair code with a phone number; the overview shows the code while it lasts. */
import { WardenError } from '../../../contract/errors.ts';
import { parseSessionId } from '../../../contract/ids.ts';
import { operations } from '../../../contract/index.ts';
import { callerOf } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField } from '../form-body.ts';
import { problemsOf, type DashboardForm } from '../form.ts';
import { assertAllowed, pageCall } from '../page.ts';
import { redirect } from '../sign-in.ts';

export function pairByCodeForm({ run, store }: DashboardDependencies): DashboardForm {
  return {
    path: '/dashboard/sessions/:id/pair-code',
    submit: async (ctx) => {
      const { principal, params } = pageCall(ctx);
      const id = parseSessionId(params['id'] ?? '');
      if (id === null) throw new WardenError('session_not_found');
      assertAllowed(principal, operations.pairByCode.scope, id);
      const row = await store.sessions.get(id);
      if (row === null) throw new WardenError('session_not_found');
      const signal = AbortSignal.timeout(operations.pairByCode.deadlineMs);
      try {
        const input = { phone: formField(ctx, 'phone') };
        await run('pairByCode', { input, row, upload: null, key: null, caller: callerOf(ctx), signal });
        redirect(ctx, `/dashboard/sessions/${id}`);
      } catch (error) {
        const { fields, message } = problemsOf(error);
        const problem = fields['phone'] === undefined ? (message ?? '') : `Phone number: ${fields['phone']}`;
        redirect(ctx, `/dashboard/sessions/${id}?problem=${encodeURIComponent(problem)}`);
      }
    },
  };
}
