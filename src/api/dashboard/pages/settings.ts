/** What the gateway is set to, who may use it, and what they did; for everybody else their own token and the theme. */
import type { AuditResource } from '../../../contract/operations/audit.ts';
import type { TokenResource } from '../../../contract/operations/tokens.ts';
import { roles, type Role } from '../../../contract/roles.ts';
import { isAllowed, superadmin, type Principal } from '../../auth/principal.ts';
import type { ConfiguredVariable } from '../../dependencies.ts';
import { openApiPathOnHost, swaggerPath } from '../../docs/swagger-page.ts';
import { presentAuditEntry } from '../../presenters/audit.ts';
import { presentToken } from '../../presenters/token.ts';
import { accents } from '../accent.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { noProblems, type FormProblems } from '../form.ts';
import { definePage } from '../page.ts';
import { expiries, type Expiry } from '../token-expiry.ts';

const shownTokens = 100;
const shownEntries = 8;

export interface NewTokenValues {
  readonly name: string;
  readonly role: Role;
  readonly reach: 'all' | 'some';
  /** As typed. */
  readonly sessions: string;
  readonly expiry: Expiry;
  /** As typed. */
  readonly addresses: string;
}

const blankToken: NewTokenValues = {
  name: '',
  role: 'operator',
  reach: 'all',
  sessions: '',
  expiry: '90',
  addresses: '',
};

const roleWords: Readonly<Record<Role, string>> = {
  viewer: 'Sees sessions and their messages.',
  operator: 'Also sends, links and changes sessions.',
  admin: 'Everything: creates sessions, tokens and reads this page.',
};

export function settingsPage(dependencies: DashboardDependencies) {
  return definePage({
    path: '/dashboard/settings',
    title: 'Settings',
    nav: 'settings',
    template: 'settings/page.njk',
    parts: {},
    script: 'settings',
    live: [],
    load: ({ principal, query }) => {
      const { session = '' } = query;
      const values: NewTokenValues = { ...blankToken, sessions: session, reach: session === '' ? 'all' : 'some' };
      return settingsModel(dependencies, principal, { values, problems: noProblems });
    },
  });
}

interface Form {
  readonly values: NewTokenValues;
  readonly problems: FormProblems;
}

export async function settingsModel(dependencies: DashboardDependencies, principal: Principal, form: Form) {
  const { store, clock } = dependencies;
  const own = principal.id === superadmin.id ? null : await store.tokens.find(principal.id);
  return {
    accents,
    own: own === null ? null : presentToken(own, clock.now()),
    isSuperadmin: principal.id === superadmin.id,
    admin: isAllowed(principal, 'admin', null) ? await adminModel(dependencies, form) : null,
  };
}

async function adminModel({ store, settings, clock }: DashboardDependencies, { values, problems }: Form) {
  const [tokens, entries] = await Promise.all([
    store.tokens.list({ limit: shownTokens, cursor: null, isWithRevoked: false }),
    store.audit.list({ ...anything, limit: shownEntries, cursor: null }),
  ]);
  const { baseUrl } = settings;
  return {
    baseUrl,
    endpoints: [
      { words: 'API reference', path: swaggerPath },
      { words: 'OpenAPI', path: openApiPathOnHost },
      { words: 'Dashboard', path: '/dashboard' },
      { words: 'Health', path: '/health' },
      { words: 'Readiness', path: '/readyz?verbose' },
    ],
    topics: topicsOf(settings.configuration),
    tokens: tokens.rows.map((row): TokenResource => presentToken(row, clock.now())),
    moreTokens: tokens.total - tokens.rows.length,
    entries: entries.rows.map((row): AuditResource => presentAuditEntry(row)),
    roles: roles.map((role) => ({ role, words: roleWords[role] })),
    expiries,
    values,
    problems: {
      message: problems.message,
      name: problemOf(problems, 'name'),
      role: problemOf(problems, 'role'),
      sessions: problemOf(problems, 'sessions'),
      addresses: problemOf(problems, 'addresses'),
    },
  };
}

/** No condition at all. */
export const anything = { session: null, principal: null, operation: null, from: null, to: null } as const;

/** Of a field, or of one of its items. */
function problemOf({ fields }: FormProblems, name: string): string | null {
  const found = Object.entries(fields).find(([field]) => field === name || field.startsWith(`${name}[`));
  return found?.[1] ?? null;
}

function topicsOf(configuration: readonly ConfiguredVariable[]) {
  return [...Map.groupBy(configuration, ({ topic }) => topic)].map(([topic, variables]) => ({
    topic,
    variables,
    changed: variables.filter(({ isSet }) => isSet).length,
  }));
}
