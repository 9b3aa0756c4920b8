/** Adds and changes webhooks, and gives them new secrets; a secret is on the page that answers, and nowhere else. */
import { callerOf } from '../../caller.ts';
import type { Result } from '../../../contract/index.ts';
import type { SessionRow } from '../../../store/store.ts';
import type { RequestContext } from '../../state.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField, formFields } from '../form-body.ts';
import { problemsOf, type DashboardForm } from '../form.ts';
import { pageCall, pageFrame } from '../page.ts';
import { sessionWebhooksPage } from '../pages/session-webhooks.ts';
import { askSession, sessionOfForm } from '../session-call.ts';
import { showRefused } from '../show-refused.ts';
import { redirect } from '../sign-in.ts';
import { typedWebhook, webhookInput, type WebhookValues } from '../webhook-values.ts';

/** The path is that of the page, so that what is shown in answer can be loaded again. */
export function saveWebhookForm(dependencies: DashboardDependencies): DashboardForm {
  return {
    path: '/dashboard/sessions/:id/webhooks',
    submit: async (ctx) => {
      const id = formField(ctx, 'webhook_id');
      if (id === '') await create(dependencies, ctx);
      else if (formField(ctx, 'action') === 'rotate') await rotate(dependencies, ctx, id);
      else await change(dependencies, ctx, id);
    },
  };
}

async function create(dependencies: DashboardDependencies, ctx: RequestContext): Promise<void> {
  const row = await sessionOfForm(dependencies, ctx, 'createWebhook');
  const caller = callerOf(ctx);
  const values = valuesOf(ctx);
  try {
    const { conditions, ...rest } = webhookInput(values);
    const input = { ...rest, ...(conditions === null ? {} : { conditions }) };
    await showSecret(dependencies, ctx, await askSession(dependencies, 'createWebhook', { caller, row, input }));
  } catch (error) {
    const refused = { id: null, values, problems: problemsOf(error) };
    await showRefused(sessionWebhooksPage(dependencies, refused), dependencies, ctx);
  }
}

async function change(dependencies: DashboardDependencies, ctx: RequestContext, id: string): Promise<void> {
  const row = await sessionOfForm(dependencies, ctx, 'updateWebhook');
  const caller = callerOf(ctx);
  const values = valuesOf(ctx);
  try {
    const input = { webhook_id: id, ...webhookInput(values) };
    await askSession(dependencies, 'updateWebhook', { caller, row, input });
    backToWebhook(ctx, row, { webhook: id, notice: 'The webhook is changed.' });
  } catch (error) {
    const refused = { id, values, problems: problemsOf(error) };
    await showRefused(sessionWebhooksPage(dependencies, refused), dependencies, ctx);
  }
}

async function rotate(dependencies: DashboardDependencies, ctx: RequestContext, id: string): Promise<void> {
  const row = await sessionOfForm(dependencies, ctx, 'rotateWebhookSecret');
  const caller = callerOf(ctx);
  const input = { webhook_id: id };
  await showSecret(dependencies, ctx, await askSession(dependencies, 'rotateWebhookSecret', { caller, row, input }));
}

async function showSecret(
  dependencies: DashboardDependencies,
  ctx: RequestContext,
  webhook: Result<'createWebhook'>,
): Promise<void> {
  const page = sessionWebhooksPage(dependencies);
  const model = await page.load(pageCall(ctx));
  const frame = pageFrame({ ...page, script: null, live: [] }, dependencies, ctx);
  ctx.type = 'text/html';
  ctx.body = dependencies.render('session/webhook-secret.njk', { ...model, webhook, page: frame });
}

const valuesOf = (ctx: RequestContext): WebhookValues =>
  typedWebhook((name) => formField(ctx, name), formFields(ctx, 'events'));

/** Leads back to the page of the webhooks; the query says which one is open, and what came of the form. */
export function backToWebhook(ctx: RequestContext, { id }: SessionRow, query: Readonly<Record<string, string>>): void {
  redirect(ctx, `/dashboard/sessions/${id}/webhooks?${new URLSearchParams(query).toString()}`);
}
