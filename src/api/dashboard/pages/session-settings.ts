/** What people change of a session: its name, caps and pacing, and how they get rid of it. */
import { deviceOf, presentDevice } from '../../presenters/session.ts';
import { callerOf } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { noProblems, type FormProblems } from '../form.ts';
import { askSession } from '../session-call.ts';
import { defineSessionPage } from '../session-page.ts';

export const pacingFields = [
  'messages_per_second',
  'burst',
  'new_chats_per_day',
  'warm_up_days',
  'warm_up_new_chats',
] as const;
export type PacingField = (typeof pacingFields)[number];

export interface GeneralValues {
  readonly name: string;
  readonly memoryCapMb: string;
  /** Empty leaves it to the gateway. */
  readonly isolated: '' | 'true' | 'false';
}

/** As typed; what is empty is as the gateway has it. */
export interface PacingValues extends Readonly<Record<PacingField, string>> {
  readonly enabled: '' | 'true' | 'false';
}

/** What a form of this page shows that was refused. */
export interface RefusedSettings {
  readonly general?: { readonly values: GeneralValues; readonly problems: FormProblems };
  readonly pacing?: { readonly values: PacingValues; readonly problems: FormProblems };
  readonly danger?: FormProblems;
}

export function sessionSettingsPage(dependencies: DashboardDependencies, refused: RefusedSettings = {}) {
  const { supervisor } = dependencies;
  return defineSessionPage(dependencies, {
    tab: 'settings',
    template: 'session/settings.njk',
    parts: { pacing: 'session/_pacing.njk' },
    script: null,
    live: ['session_pacing'],
    load: async ({ ctx, row, resource }) => {
      const view = supervisor.view(row);
      const general: GeneralValues = {
        name: row.name ?? '',
        memoryCapMb: row.memoryCapMb === null ? '' : String(row.memoryCapMb),
        isolated: row.isolated === null ? '' : row.isolated ? 'true' : 'false',
      };
      return {
        general: refused.general ?? { values: general, problems: noProblems },
        capBytes: resource.child?.memory_cap_bytes ?? null,
        pacing: await askSession(dependencies, 'getPacing', { caller: callerOf(ctx), row, input: {} }),
        pacingForm: refused.pacing ?? { values: pacingValues(row.pacing ?? {}), problems: noProblems },
        device: deviceOf(row, view) === null ? null : presentDevice(row, view),
        danger: refused.danger ?? noProblems,
      };
    },
  });
}

type Overrides = { readonly enabled?: boolean | undefined } & { readonly [F in PacingField]?: number | undefined };

function pacingValues(overrides: Overrides): PacingValues {
  const text = (field: PacingField): string => (overrides[field] === undefined ? '' : String(overrides[field]));
  return {
    enabled: overrides.enabled === undefined ? '' : overrides.enabled ? 'true' : 'false',
    messages_per_second: text('messages_per_second'),
    burst: text('burst'),
    new_chats_per_day: text('new_chats_per_day'),
    warm_up_days: text('warm_up_days'),
    warm_up_new_chats: text('warm_up_new_chats'),
  };
}
