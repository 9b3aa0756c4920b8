/** Where the metrics look when they are scraped. */
import type { EventStreams } from './api/streams/event-streams.ts';
import { systemClock } from './clock.ts';
import type { Media } from './media/media.ts';
import type { Store } from './store/store.ts';
import { descriptorLimit, openDescriptors } from './supervisor/proc.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import type { CountedSession, MetricSources } from './telemetry/collect.ts';
import { gatewayVersion } from './version.ts';

/** Scrapers wait ten seconds by default; what takes longer than this is not told. */
const pingTimeoutMs = 1_000;
const pageSize = 200;

interface Parts {
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly media: Media;
  readonly streams: EventStreams;
}

export function metricSources({ store, supervisor, media, streams }: Parts): MetricSources {
  return {
    version: gatewayVersion,
    now: () => systemClock.now(),
    stats: () => supervisor.stats(),
    ping: () => store.ping(pingTimeoutMs),
    sessions: () => countSessions(store, supervisor),
    webhooks: () => store.webhookHealth.totals(0),
    webhookStates: () => store.webhookHealth.states(),
    pool: () => store.connections(),
    spool: () => ({ usedBytes: media.spool.usedBytes, quotaBytes: media.spool.quotaBytes }),
    streams: () => streams.size,
    descriptors: () => ({ open: openDescriptors(), most: descriptorLimit() }),
  };
}

async function countSessions(store: Store, supervisor: Supervisor): Promise<readonly CountedSession[]> {
  const counted: CountedSession[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store['sessions']['list']>> = await store.sessions.list({ limit: pageSize, cursor });
    for (const row of page.rows) {
      const { status, child } = supervisor.view(row);
      counted.push({ id: row.id, status, child });
    }
    cursor = page.nextCursor;
  } while (cursor !== null);
  return counted;
}
