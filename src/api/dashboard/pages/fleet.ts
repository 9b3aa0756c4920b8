/** The fleet at a glance. */
import { presentExit, presentStats } from '../../presenters/supervision.ts';
import { presentWebhookStats } from '../../presenters/webhook-stats.ts';
import { trafficWindow, presentTraffic } from '../../presenters/vitals.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { percentOf } from '../format.ts';
import { assertAllowed, definePage } from '../page.ts';
import { barParts, countByStatus, statusWords } from '../session-tone.ts';
import { visibleSessions } from '../visible-sessions.ts';
import { wordsOfHealth } from '../webhook-words.ts';

const recentExits = 8;
const failingShown = 5;
const barWidth = 1000;
const dayHours = 24;
const troubled = new Set(['failed', 'logged_out', 'waiting_for_qr', 'waiting_for_pair_code']);

export function fleetPage(dependencies: DashboardDependencies) {
  const { store, supervisor, sandbox, clock, settings } = dependencies;
  return definePage({
    path: '/dashboard',
    title: 'Fleet',
    nav: 'fleet',
    template: 'fleet/page.njk',
    parts: { summary: 'fleet/_summary.njk', restarts: 'fleet/_restarts.njk' },
    script: 'fleet',
    live: ['session_status', 'session_restarted', 'connected', 'disconnected', 'webhook_disabled'],
    load: async ({ principal }) => {
      assertAllowed(principal, 'admin', null);
      const window = trafficWindow(dayHours, clock.now());
      const [sessions, exits, buckets, webhooks] = await Promise.all([
        visibleSessions(dependencies, principal),
        store.children.listRecent(recentExits),
        store.traffic.read({ session: null, ...window }),
        store.webhookHealth.totals(failingShown),
      ]);
      await supervisor.weigh();
      const webhookStats = presentWebhookStats(webhooks);
      const stats = presentStats(supervisor.stats());
      const { buckets: hours } = presentTraffic(buckets, window);
      const sum = (field: 'received' | 'sent' | 'failed') => hours.reduce((total, hour) => total + hour[field], 0);
      return {
        sessions,
        statusBar: barParts(countByStatus(sessions), barWidth),
        connected: sessions.filter(({ status }) => status === 'connected').length,
        troubled: sessions
          .filter(({ status }) => troubled.has(status))
          .map((session) => ({ ...session, words: statusWords[session.status] })),
        traffic: { received: sum('received'), sent: sum('sent'), failed: sum('failed') },
        webhooks: webhookStats,
        failingWebhooks: webhookStats.failing_webhooks.map((each) => ({ ...each, ...wordsOfHealth(each) })),
        stats,
        memoryPercent: percentOf(stats.processes.total.pss_bytes, stats.machine.limit_bytes),
        exits: exits.map(({ session, ...exit }) => ({ session, ...presentExit(exit) })),
        hasSandbox: sandbox !== null,
        baseUrl: settings.baseUrl,
      };
    },
  });
}
