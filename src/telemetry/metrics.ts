/** The metrics of the gateway: counts what parts tell as it happens, and looks at the rest when it is scraped. */
import { Collector, type MetricSources } from './collect.ts';
import type { Observer } from './observer.ts';
import { createMetricRegistry } from './registry.ts';

export interface Metrics {
  readonly observer: Observer;
  readonly contentType: string;
  /** From now on scrapes tell of these, too. */
  watch(sources: MetricSources): void;
  /** Scrapes that come while one is under way share its answer. */
  render(): Promise<string>;
  stop(): void;
}

export function createMetrics(options: { readonly isPerSession: boolean }): Metrics {
  const registry = createMetricRegistry(options);
  let collector: Collector | null = null;
  let rendering: Promise<string> | null = null;

  const render = async (): Promise<string> => {
    await collector?.collect();
    return registry.render();
  };

  return {
    contentType: registry.contentType,
    watch: (sources) => {
      collector = new Collector(registry, sources);
    },
    render: () =>
      (rendering ??= render().finally(() => {
        rendering = null;
      })),
    stop: () => collector?.stop(),
    observer: {
      requestAnswered: ({ operation, method, status, durationMs, error }) => {
        registry.count('requests', { operation, method, status: `${Math.floor(status / 100)}xx` });
        registry.observe('requestDuration', durationMs / 1000, { operation });
        if (error !== null) registry.count('requestErrors', { code: error });
      },
      eventCommitted: (event) => {
        registry.count('events', { event: event.name });
        if (event.name === 'message' && !event.data.is_from_me) registry.count('received');
        if (event.name === 'message_sent') registry.count('sent');
        if (event.name === 'message_failed') registry.count('failed', { code: codeOf(event.data.code) });
      },
      sendAcknowledged: (latencyMs) => registry.observe('sendLatency', Math.max(0, latencyMs) / 1000),
      childEnded: (cause) => registry.count('childExits', { cause }),
      ipcRefused: () => registry.count('ipcRefused'),
      deliveryAttempted: (outcome, durationMs) => {
        registry.count('attempts', { outcome });
        registry.observe('attemptDuration', durationMs / 1000);
      },
    },
  };
}

/** Codes are ours or WhatsApp's numbers; whatever else a server may say must not become a label. */
const codeOf = (code: string | null): string => (code !== null && /^[a-z0-9_]{1,40}$/.test(code) ? code : 'other');
