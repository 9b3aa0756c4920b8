/** Chooses the colour of the theme. */
import { WardenError } from '../../../contract/errors.ts';
import { accents, chooseAccent, isAccent } from '../accent.ts';
import { formField } from '../form-body.ts';
import type { DashboardForm } from '../form.ts';
import { redirect } from '../sign-in.ts';

export function accentForm(): DashboardForm {
  return {
    path: '/dashboard/settings/accent',
    submit: async (ctx) => {
      const accent = formField(ctx, 'accent');
      if (!isAccent(accent)) {
        throw new WardenError('invalid_request', {
          details: [{ field: 'accent', expected: `one of ${accents.join(', ')}` }],
        });
      }
      chooseAccent(ctx, accent);
      redirect(ctx, '/dashboard/settings');
    },
  };
}
