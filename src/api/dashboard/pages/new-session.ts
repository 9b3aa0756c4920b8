/** The form for a new session. */
import { eventNames } from '../../../contract/events.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { noProblems, type FormProblems } from '../form.ts';
import { assertAllowed, definePage } from '../page.ts';

export interface NewSessionValues {
  readonly id: string;
  readonly name: string;
  readonly kind: 'real' | 'sandbox';
  readonly webhookUrl: string;
  /** None stands for all. */
  readonly events: readonly string[];
  readonly memoryCapMb: string;
}

/** Events that most receivers want, offered first. */
const usualEvents = ['message', 'message_sent', 'receipt', 'connected', 'disconnected', 'logged_out'];

export function newSessionPage(dependencies: DashboardDependencies) {
  return definePage({
    path: '/dashboard/sessions/new',
    title: 'New session',
    nav: 'sessions',
    template: 'sessions/new.njk',
    parts: {},
    script: null,
    live: [],
    load: async ({ principal, query }) => {
      assertAllowed(principal, 'admin', null);
      const kind = query['sandbox'] === '1' && dependencies.sandbox !== null ? 'sandbox' : 'real';
      const values = { id: '', name: '', kind, webhookUrl: '', events: [], memoryCapMb: '' } as const;
      return newSessionModel(dependencies, values, noProblems);
    },
  });
}

export function newSessionModel(
  { sandbox }: Pick<DashboardDependencies, 'sandbox'>,
  values: NewSessionValues,
  problems: FormProblems,
) {
  const { id, name, memory_cap_mb: memoryCapMb, webhook } = byField(problems.fields);
  return {
    values,
    problems: {
      message: problems.message,
      id: id ?? null,
      name: name ?? null,
      memoryCapMb: memoryCapMb ?? null,
      webhookUrl: problems.fields['webhook.url'] ?? webhook ?? null,
      events: problems.fields['webhook.events'] ?? null,
    },
    hasSandbox: sandbox !== null,
    usualEvents,
    otherEvents: eventNames.filter((event) => !usualEvents.includes(event)),
  };
}

/** Field → problem, with names that may be absent. */
const byField = (fields: Readonly<Record<string, string>>): Readonly<Partial<Record<string, string>>> => fields;
