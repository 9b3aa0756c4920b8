/** Changes a session, logs it out or deletes it; what is wrong is shown beside its field. */
import type { SessionRow } from '../../../store/store.ts';
import type { RequestContext } from '../../state.ts';
import { callerOf } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField } from '../form-body.ts';
import { problemsOf, type DashboardForm } from '../form.ts';
import {
  pacingFields,
  sessionSettingsPage,
  type GeneralValues,
  type PacingValues,
  type RefusedSettings,
} from '../pages/session-settings.ts';
import { askSession, sessionOfForm } from '../session-call.ts';
import { showRefused } from '../show-refused.ts';
import { redirect } from '../sign-in.ts';

export function sessionSettingsForms(dependencies: DashboardDependencies): readonly DashboardForm[] {
  const refuse = (ctx: RequestContext, refused: RefusedSettings): Promise<void> =>
    showRefused(sessionSettingsPage(dependencies, refused), dependencies, ctx);

  return [
    {
      path: '/dashboard/sessions/:id/settings',
      submit: async (ctx) => {
        const row = await sessionOfForm(dependencies, ctx, 'updateSession');
        const values = generalOf(ctx);
        try {
          await askSession(dependencies, 'updateSession', { caller: callerOf(ctx), row, input: generalInput(values) });
          saved(ctx, row, 'Saved.');
        } catch (error) {
          await refuse(ctx, { general: { values, problems: problemsOf(error) } });
        }
      },
    },
    {
      path: '/dashboard/sessions/:id/settings/pacing',
      submit: async (ctx) => {
        const row = await sessionOfForm(dependencies, ctx, 'updateSession');
        if (formField(ctx, 'action') === 'reset') {
          await askSession(dependencies, 'updateSession', { caller: callerOf(ctx), row, input: { pacing: null } });
          saved(ctx, row, 'This session is paced as the gateway says.');
          return;
        }
        const values = pacingOf(ctx);
        try {
          await askSession(dependencies, 'updateSession', {
            caller: callerOf(ctx),
            row,
            input: { pacing: pacingInput(values) },
          });
          saved(ctx, row, 'The pace is changed.');
        } catch (error) {
          const { message, fields } = problemsOf(error);
          const own = Object.entries(fields).map(([field, text]) => [field.replace(/^pacing\./, ''), text] as const);
          await refuse(ctx, { pacing: { values, problems: { message, fields: Object.fromEntries(own) } } });
        }
      },
    },
    {
      path: '/dashboard/sessions/:id/settings/danger',
      submit: async (ctx) => {
        const isDeletion = formField(ctx, 'action') === 'delete';
        const row = await sessionOfForm(dependencies, ctx, isDeletion ? 'deleteSession' : 'logoutSession');
        const field = isDeletion ? 'confirm_delete' : 'confirm_logout';
        if (formField(ctx, field).trim() !== row.id) {
          await refuse(ctx, { danger: { message: null, fields: { [field]: `Type ${row.id} to confirm.` } } });
          return;
        }
        try {
          if (isDeletion) {
            await askSession(dependencies, 'deleteSession', { caller: callerOf(ctx), row, input: {} });
            redirect(ctx, `/dashboard/sessions?notice=${encodeURIComponent(`${row.id} deleted.`)}`);
          } else {
            const { message } = await askSession(dependencies, 'logoutSession', {
              caller: callerOf(ctx),
              row,
              input: {},
            });
            saved(ctx, row, message);
          }
        } catch (error) {
          await refuse(ctx, { danger: problemsOf(error) });
        }
      },
    },
  ];
}

const threeWays = (text: string): '' | 'true' | 'false' => (text === 'true' || text === 'false' ? text : '');

function generalOf(ctx: RequestContext): GeneralValues {
  return {
    name: formField(ctx, 'name').trim(),
    memoryCapMb: formField(ctx, 'memory_cap_mb').trim(),
    isolated: threeWays(formField(ctx, 'isolated')),
  };
}

const generalInput = ({ name, memoryCapMb, isolated }: GeneralValues) => ({
  name: name === '' ? null : name,
  memory_cap_mb: memoryCapMb === '' ? null : numberOrText(memoryCapMb),
  isolated: isolated === '' ? null : isolated === 'true',
});

function pacingOf(ctx: RequestContext): PacingValues {
  const text = (field: string): string => formField(ctx, field).trim();
  return {
    enabled: threeWays(text('enabled')),
    messages_per_second: text('messages_per_second'),
    burst: text('burst'),
    new_chats_per_day: text('new_chats_per_day'),
    warm_up_days: text('warm_up_days'),
    warm_up_new_chats: text('warm_up_new_chats'),
  };
}

function pacingInput(values: PacingValues): object | null {
  const input: Record<string, unknown> = {};
  for (const field of pacingFields) if (values[field] !== '') input[field] = numberOrText(values[field]);
  if (values.enabled !== '') input['enabled'] = values.enabled === 'true';
  return Object.keys(input).length === 0 ? null : input;
}

/** What is no number goes on as it is: the operation says what is expected. */
const numberOrText = (text: string): number | string => (/^-?\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) : text);

function saved(ctx: RequestContext, { id }: SessionRow, notice: string): void {
  redirect(ctx, `/dashboard/sessions/${id}/settings?notice=${encodeURIComponent(notice)}`);
}
