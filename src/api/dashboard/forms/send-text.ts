/** Sends a text from the form of a chat, now or later; scripts do the same by the API. */
import { WardenError } from '../../../contract/errors.ts';
import type { Result } from '../../../contract/index.ts';
import type { RequestContext } from '../../state.ts';
import { callerOf } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField } from '../form-body.ts';
import { problemsOf, type DashboardForm } from '../form.ts';
import { formatInstant } from '../format.ts';
import { pageCall } from '../page.ts';
import type { SendTextValues } from '../pages/session-messages.ts';
import { sessionMessagesPage } from '../pages/session-messages.ts';
import { askSession, sessionOfForm } from '../session-call.ts';
import { showRefused } from '../show-refused.ts';
import { redirect } from '../sign-in.ts';

export function sendTextForm(dependencies: DashboardDependencies): DashboardForm {
  return {
    path: '/dashboard/sessions/:id/messages',
    submit: async (ctx) => {
      const row = await sessionOfForm(dependencies, ctx, 'sendText');
      const chat = pageCall(ctx).query['chat'] ?? '';
      const values = valuesOf(ctx);
      try {
        const input = { to: chat, ...inputOf(values, formField(ctx, 'reply_to')) };
        const answer = await askSession(dependencies, 'sendText', { caller: callerOf(ctx), row, input });
        const path = `/dashboard/sessions/${row.id}/messages?chat=${encodeURIComponent(chat)}`;
        redirect(ctx, `${path}&notice=${encodeURIComponent(wordsOf(answer))}`);
      } catch (error) {
        if (error instanceof WardenError && error.code === 'session_not_found') throw error;
        const text = { values, problems: problemsOf(error) };
        await showRefused(sessionMessagesPage(dependencies, { text }), dependencies, ctx);
      }
    },
  };
}

function valuesOf(ctx: RequestContext): SendTextValues {
  return {
    text: formField(ctx, 'text').replaceAll('\r\n', '\n'),
    linkPreview: formField(ctx, 'link_preview') === 'true',
    sendAt: formField(ctx, 'send_at').trim(),
  };
}

const inputOf = ({ text, linkPreview, sendAt }: SendTextValues, replyTo: string) => ({
  text,
  link_preview: linkPreview,
  ...(sendAt === '' ? {} : { send_at: sendAt }),
  ...(replyTo === '' ? {} : { reply_to: replyTo }),
});

function wordsOf({ status, send_at: sendAt, held_until: heldUntil, held_reason: reason }: Result<'sendText'>): string {
  if (status === 'scheduled' && sendAt !== undefined) return `Scheduled for ${formatInstant(sendAt * 1000)}.`;
  if (heldUntil !== undefined) return `Accepted; it may go out at ${formatInstant(heldUntil * 1000)}. ${reason ?? ''}`;
  return status === 'pending' ? 'Accepted; WhatsApp has not acknowledged it yet.' : 'Sent.';
}
