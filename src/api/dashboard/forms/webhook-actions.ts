/** What can be done to one webhook and its deliveries, without scripts. */
import { WardenError } from '../../../contract/errors.ts';
import type { SessionRow } from '../../../store/store.ts';
import { callerOf, type Caller } from '../../caller.ts';
import type { RequestContext } from '../../state.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField } from '../form-body.ts';
import { problemsOf, type DashboardForm } from '../form.ts';
import { formatDuration } from '../format.ts';
import { pageCall } from '../page.ts';
import { replayInput } from '../replay-range.ts';
import { askSession, sessionOfForm } from '../session-call.ts';
import { backToWebhook } from './save-webhook.ts';

interface Acting {
  readonly dependencies: DashboardDependencies;
  readonly ctx: RequestContext;
  readonly row: SessionRow;
  readonly caller: Caller;
  readonly webhook: string;
}
/** Answers the query of the page that is shown then. */
type Act = (acting: Acting) => Promise<Readonly<Record<string, string>>>;

const actions = {
  test: {
    operation: 'testWebhook',
    act: async ({ dependencies, row, caller, webhook }) => {
      const input = { webhook_id: webhook };
      const outcome = await askSession(dependencies, 'testWebhook', { row, caller, input });
      const took = formatDuration(outcome.duration_ms);
      const said = outcome.delivered
        ? { notice: `The test was delivered: the receiver answered ${outcome.http_status} in ${took}.` }
        : { problem: `The test was not delivered: ${outcome.error} (after ${took}).` };
      return { webhook, delivery: outcome.delivery_id, ...said };
    },
  },
  enable: {
    operation: 'enableWebhook',
    act: async ({ dependencies, row, caller, webhook }) => {
      await askSession(dependencies, 'enableWebhook', { row, caller, input: { webhook_id: webhook } });
      return { webhook, notice: 'The webhook is enabled; what waited is sent now.' };
    },
  },
  disable: {
    operation: 'updateWebhook',
    act: async ({ dependencies, row, caller, webhook }) => {
      const input = { webhook_id: webhook, enabled: false };
      await askSession(dependencies, 'updateWebhook', { row, caller, input });
      return { webhook, notice: 'The webhook is switched off; what waits is held.' };
    },
  },
  delete: {
    operation: 'deleteWebhook',
    act: async ({ dependencies, row, caller, webhook }) => {
      await askSession(dependencies, 'deleteWebhook', { row, caller, input: { webhook_id: webhook } });
      return { notice: 'The webhook is deleted.' };
    },
  },
  replay: {
    operation: 'replayDelivery',
    act: async ({ dependencies, ctx, row, caller, webhook }) => {
      const delivery = formField(ctx, 'delivery');
      const input = { webhook_id: webhook, delivery_id: delivery };
      const { message } = await askSession(dependencies, 'replayDelivery', { row, caller, input });
      return { webhook, delivery, notice: message };
    },
  },
  replay_range: {
    operation: 'replayDeliveries',
    act: async ({ dependencies, ctx, row, caller, webhook }) => {
      const input = { webhook_id: webhook, ...replayInput((name) => formField(ctx, name)) };
      const { message, missed } = await askSession(dependencies, 'replayDeliveries', { row, caller, input });
      return { webhook, notice: missed === 0 ? message : `${message} ${missed} of them for the first time.` };
    },
  },
} as const satisfies Record<string, { readonly operation: string; readonly act: Act }>;
type Action = keyof typeof actions;

const isAction = (name: string): name is Action => Object.hasOwn(actions, name);

export function webhookActionForm(dependencies: DashboardDependencies): DashboardForm {
  return {
    path: '/dashboard/sessions/:id/webhooks/:webhook_id/actions',
    submit: async (ctx) => {
      const name = formField(ctx, 'action');
      if (!isAction(name)) {
        throw new WardenError('invalid_request', {
          details: [{ field: 'action', expected: `one of ${Object.keys(actions).join(', ')}` }],
        });
      }
      const { operation, act } = actions[name];
      const row = await sessionOfForm(dependencies, ctx, operation);
      const { params } = pageCall(ctx);
      const caller = callerOf(ctx);
      const webhook = params['webhook_id'] ?? '';
      try {
        backToWebhook(ctx, row, await act({ dependencies, ctx, row, caller, webhook }));
      } catch (error) {
        const { message, fields } = problemsOf(error);
        const named = Object.entries(fields).map(([field, text]) => `${field}: ${text}`);
        backToWebhook(ctx, row, { webhook, problem: named.length === 0 ? (message ?? '') : named.join(' ') });
      }
    },
  };
}
