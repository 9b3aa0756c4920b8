/** The part of the configuration table that is about the dashboard. */
import { choice, durationMs } from './config-variables.ts';

const dayMs = 86_400_000;

/** `auto` lets a browser on this very machine in without a login, `none` lets everybody in. */
type DashboardAuth = 'auto' | 'login' | 'none';

export const dashboardVariables = {
  dashboardAuth: choice<DashboardAuth>({
    name: 'DASHBOARD_AUTH',
    words: ['auto', 'login', 'none'],
    fallback: 'auto',
    sentence:
      'Who may open the dashboard: "login" asks everybody to sign in, "auto" all but browsers on this machine while HOST is a loopback address, "none" nobody.',
  }),
  dashboardIdleMs: durationMs({
    name: 'DASHBOARD_IDLE_MS',
    fallback: '43200000',
    max: 30 * dayMs,
    sentence: 'How long a browser that does nothing stays signed in.',
  }),
  dashboardLifetimeMs: durationMs({
    name: 'DASHBOARD_LIFETIME_MS',
    fallback: '604800000',
    max: 90 * dayMs,
    sentence: 'How long a browser stays signed in at most.',
  }),
} as const;
