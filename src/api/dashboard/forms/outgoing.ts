/** What is sent later or to many: created, cancelled, paused and resumed. */
import { WardenError } from '../../../contract/errors.ts';
import { readBulkLines, type BulkLines } from '../bulk-lines.ts';
import { callerOf } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField } from '../form-body.ts';
import { problemsOf, type DashboardForm, type FormProblems } from '../form.ts';
import { pageCall } from '../page.ts';
import { sessionMessagesPage } from '../pages/session-messages.ts';
import type { BulkFormValues } from '../pages/session-outgoing.ts';
import { askSession, sessionOfForm } from '../session-call.ts';
import { showRefused } from '../show-refused.ts';
import { redirect } from '../sign-in.ts';
import type { RequestContext } from '../../state.ts';

/** Ten thousand recipients with a name each. */
const bulkBodyBytes = 4 * 1024 * 1024;

const bulkActions = {
  pause: { operation: 'pauseBulk', words: 'Paused.' },
  resume: { operation: 'resumeBulk', words: 'Goes on.' },
  cancel: { operation: 'cancelBulk', words: 'Cancelled.' },
} as const;

export function outgoingForms(dependencies: DashboardDependencies): readonly DashboardForm[] {
  return [
    {
      path: '/dashboard/sessions/:id/scheduled/:message_id/cancel',
      submit: async (ctx) => {
        const row = await sessionOfForm(dependencies, ctx, 'cancelScheduled');
        const input = { message_id: pageCall(ctx).params['message_id'] ?? '' };
        await askSession(dependencies, 'cancelScheduled', { caller: callerOf(ctx), row, input });
        back(ctx, row.id, { view: 'scheduled', notice: 'The message is cancelled.' });
      },
    },
    {
      path: '/dashboard/sessions/:id/bulk/:bulk_id',
      submit: async (ctx) => {
        const action = actionOf(formField(ctx, 'action'));
        const row = await sessionOfForm(dependencies, ctx, action.operation);
        const input = { bulk_id: pageCall(ctx).params['bulk_id'] ?? '' };
        await askSession(dependencies, action.operation, { caller: callerOf(ctx), row, input });
        back(ctx, row.id, { view: 'bulk', notice: action.words });
      },
    },
    {
      path: '/dashboard/sessions/:id/bulk',
      bodyBytes: bulkBodyBytes,
      submit: async (ctx) => {
        const row = await sessionOfForm(dependencies, ctx, 'createBulk');
        const values = valuesOf(ctx);
        const read = readBulkLines(values.recipients);
        const refuse = (problems: FormProblems): Promise<void> =>
          showRefused(sessionMessagesPage(dependencies, { bulk: { values, problems } }), dependencies, ctx);
        if (read.problem !== null) {
          await refuse({ message: 'Please correct what is marked.', fields: { recipients: read.problem } });
          return;
        }
        try {
          const input = inputOf(values, read);
          const { accepted, duplicates } = await askSession(dependencies, 'createBulk', {
            caller: callerOf(ctx),
            row,
            input,
          });
          const also = duplicates === 0 ? '' : ` ${duplicates} were named twice and get one message.`;
          back(ctx, row.id, { view: 'bulk', notice: `${accepted} recipients will be sent to.${also}` });
        } catch (error) {
          await refuse(bulkProblems(problemsOf(error), read));
        }
      },
    },
  ];
}

function actionOf(name: string): (typeof bulkActions)[keyof typeof bulkActions] {
  if (name === 'pause' || name === 'resume' || name === 'cancel') return bulkActions[name];
  throw new WardenError('invalid_request', { details: [{ field: 'action', expected: 'pause, resume or cancel' }] });
}

function valuesOf(ctx: RequestContext): BulkFormValues {
  return {
    name: formField(ctx, 'name').trim(),
    text: formField(ctx, 'text').replaceAll('\r\n', '\n'),
    recipients: formField(ctx, 'recipients').replaceAll('\r\n', '\n'),
    intervalSeconds: formField(ctx, 'interval').trim(),
    jitterSeconds: formField(ctx, 'jitter').trim(),
  };
}

const inputOf = ({ name, text, intervalSeconds, jitterSeconds }: BulkFormValues, { recipients }: BulkLines) => ({
  message: { type: 'text', text },
  recipients,
  pacing: { interval_ms: milliseconds(intervalSeconds), jitter_ms: milliseconds(jitterSeconds) },
  ...(name === '' ? {} : { name }),
});

/** What is no number goes on as it is: the operation says what is expected. */
const milliseconds = (seconds: string): number | string =>
  /^\d{1,5}(?:\.\d{1,3})?$/.test(seconds) ? Math.round(Number(seconds) * 1000) : seconds;

/** The operation's fields as those of the form; a recipient is named by its line. */
function bulkProblems({ message, fields }: FormProblems, { lines }: BulkLines): FormProblems {
  const shown: Record<string, string> = {};
  for (const [field, text] of Object.entries(fields)) {
    const [, index] = /^recipients\[(\d+)\]/.exec(field) ?? [];
    const line = index === undefined ? undefined : lines[Number(index)];
    if (line !== undefined) shown['recipients'] ??= `Line ${line}: ${text}`;
    else if (field.startsWith('recipients')) shown['recipients'] ??= text;
    else if (field.startsWith('message')) shown['text'] ??= text;
    else if (field.endsWith('interval_ms')) shown['interval'] ??= 'Expected: seconds, at most 3600.';
    else if (field.endsWith('jitter_ms')) shown['jitter'] ??= 'Expected: seconds, at most 3600.';
    else shown[field] ??= text;
  }
  return { message, fields: shown };
}

function back(
  ctx: RequestContext,
  session: string,
  { view, notice }: { readonly view: 'scheduled' | 'bulk'; readonly notice: string },
): void {
  redirect(ctx, `/dashboard/sessions/${session}/messages?view=${view}&notice=${encodeURIComponent(notice)}`);
}
