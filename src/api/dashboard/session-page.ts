/** What all pages of one session share: who may see it, its head, and the tabs. */
import { WardenError } from '../../contract/errors.ts';
import { parseSessionId } from '../../contract/ids.ts';
import type { SessionResource } from '../../contract/operations/sessions.ts';
import type { SessionRow } from '../../store/store.ts';
import { presentSession } from '../presenters/session.ts';
import type { DashboardDependencies } from './dependencies.ts';
import { assertAllowed, definePage, type DashboardPage, type PageCall } from './page.ts';
import { statusWords, toneOf } from './session-tone.ts';

export const sessionTabs = {
  overview: { words: 'Overview', path: '' },
  messages: { words: 'Messages', path: '/messages' },
  webhooks: { words: 'Webhooks', path: '/webhooks' },
  people: { words: 'Groups & contacts', path: '/people' },
  process: { words: 'Process', path: '/process' },
  phone: { words: 'Simulated phone', path: '/phone' },
  settings: { words: 'Settings', path: '/settings' },
} as const;
export type SessionTab = keyof typeof sessionTabs;

/** Every page of a session is renewed on these. */
export const sessionStatusEvents = [
  'session_status',
  'connected',
  'disconnected',
  'logged_out',
  'qr_code',
  'pair_code',
] as const;

export interface SessionPageCall extends PageCall {
  readonly row: SessionRow;
  readonly resource: SessionResource;
}

interface SessionPageOptions<Model extends object> {
  readonly tab: SessionTab;
  readonly template: string;
  readonly parts: DashboardPage<Model>['parts'];
  readonly script: string | null;
  /** Events beside those of the status. */
  readonly live: readonly string[];
  load(call: SessionPageCall): Promise<Model>;
}

/** A page below /dashboard/sessions/:id; its template extends `session/frame.njk`. Throws `session_not_found`. */
export function defineSessionPage<Model extends object>(
  { store, supervisor }: DashboardDependencies,
  options: SessionPageOptions<Model>,
) {
  const { tab, template, parts, script, live } = options;
  return definePage({
    path: `/dashboard/sessions/:id${sessionTabs[tab].path}`,
    title: sessionTabs[tab].words,
    nav: 'sessions',
    template,
    parts: { head: 'session/_head.njk', ...parts },
    script,
    live: [...sessionStatusEvents, ...live],
    load: async (call) => {
      const id = parseSessionId(call.params['id'] ?? '');
      if (id === null) throw new WardenError('session_not_found');
      assertAllowed(call.principal, 'read', id);
      const row = await store.sessions.get(id);
      if (row === null) throw new WardenError('session_not_found');
      const resource = presentSession(row, supervisor.view(row));
      const model = await options.load({ ...call, row, resource });
      return {
        ...model,
        session: { ...resource, tone: toneOf[resource.status], words: statusWords[resource.status] },
        tabs: tabsOf(row, tab),
        may: { send: call.principal.scopes.includes('send'), manage: call.principal.scopes.includes('manage') },
      };
    },
  });
}

function tabsOf(row: SessionRow, current: SessionTab) {
  const names: readonly SessionTab[] = ['overview', 'messages', 'webhooks', 'people', 'process', 'phone', 'settings'];
  return names
    .filter((name) => row.sandbox || name !== 'phone')
    .map((name) => ({
      words: sessionTabs[name].words,
      href: `/dashboard/sessions/${row.id}${sessionTabs[name].path}`,
      isCurrent: name === current,
    }));
}
