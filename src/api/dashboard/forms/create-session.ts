/** Creates a session from the form; what is wrong with it is shown beside its fields. */
import { operations } from '../../../contract/index.ts';
import { callerOf } from '../../caller.ts';
import type { RequestContext } from '../../state.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField, formFields } from '../form-body.ts';
import { problemsOf, type DashboardForm } from '../form.ts';
import { assertAllowed, pageCall, pageFrame } from '../page.ts';
import { newSessionPage, newSessionModel, type NewSessionValues } from '../pages/new-session.ts';
import { redirect } from '../sign-in.ts';

export function createSessionForm(dependencies: DashboardDependencies): DashboardForm {
  const { run, render } = dependencies;
  const page = newSessionPage(dependencies);
  return {
    path: '/dashboard/sessions/new',
    submit: async (ctx) => {
      const { principal } = pageCall(ctx);
      assertAllowed(principal, operations.createSession.scope, null);
      const values = valuesOf(ctx);
      const signal = AbortSignal.timeout(operations.createSession.deadlineMs);
      try {
        const created = await run('createSession', {
          input: inputOf(values),
          row: null,
          upload: null,
          key: null,
          caller: callerOf(ctx),
          signal,
        });
        const session = operations.createSession.result.parse(created);
        if (session.webhook === undefined) redirect(ctx, `/dashboard/sessions/${session.id}`);
        else {
          // The only time that the secret can be seen.
          ctx.type = 'text/html';
          ctx.body = render('sessions/created.njk', { session, page: pageFrame(page, dependencies, ctx) });
        }
      } catch (error) {
        const problems = problemsOf(error);
        ctx.status = 422;
        ctx.type = 'text/html';
        ctx.body = render(page.template, {
          ...newSessionModel(dependencies, values, problems),
          page: pageFrame(page, dependencies, ctx),
        });
      }
    },
  };
}

function valuesOf(ctx: RequestContext): NewSessionValues {
  return {
    id: formField(ctx, 'id').trim(),
    name: formField(ctx, 'name').trim(),
    kind: formField(ctx, 'kind') === 'sandbox' ? 'sandbox' : 'real',
    webhookUrl: formField(ctx, 'webhook_url').trim(),
    events: formFields(ctx, 'events'),
    memoryCapMb: formField(ctx, 'memory_cap_mb').trim(),
  };
}

/** As a client of the API would write it; the operation's own schema says what is wrong. */
function inputOf({ id, name, kind, webhookUrl, events, memoryCapMb }: NewSessionValues): unknown {
  return {
    ...(id === '' ? {} : { id }),
    ...(name === '' ? {} : { name }),
    sandbox: kind === 'sandbox',
    ...(webhookUrl === '' ? {} : { webhook: { url: webhookUrl, ...(events.length === 0 ? {} : { events }) } }),
    ...(memoryCapMb === '' ? {} : { memory_cap_mb: /^\d{1,6}$/.test(memoryCapMb) ? Number(memoryCapMb) : memoryCapMb }),
  };
}
