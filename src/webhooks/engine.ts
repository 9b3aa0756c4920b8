/** All that sends webhooks, put together: one deliverer, which the dispatcher and tests share. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Observer } from '../telemetry/observer.ts';
import { createDeliverer, type DeliverSettings } from './deliver.ts';
import { createDispatcher, type DispatcherSettings } from './dispatcher.ts';
import { createWebhookTester, type WebhookTester } from './tester.ts';

export type WebhookSettings = DeliverSettings & DispatcherSettings;

export interface WebhookEngine {
  readonly tester: WebhookTester;
  start(): void;
  /** Lets requests in flight end within the budget, then breaks them off. Never rejects. */
  stop(budgetMs: number): Promise<void>;
}

export function createWebhookEngine(options: {
  readonly store: Pick<Store, 'outbox' | 'deliveries' | 'webhooks'>;
  readonly settings: WebhookSettings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer?: Pick<Observer, 'deliveryAttempted'>;
  /** Between 0 and 1. */
  readonly random: () => number;
}): WebhookEngine {
  const { store, settings, log, clock, random, observer } = options;
  const { outbox, deliveries, webhooks } = store;
  const deliverer = createDeliverer(settings, clock);
  const tester = createWebhookTester({ deliveries, outbox, deliverer, leaseMs: settings.leaseMs, clock });
  const dispatcher = createDispatcher({
    outbox,
    deliverer,
    disable: async (webhook, reason) => {
      // Several deliveries can meet the same end; the first one disables.
      if (await webhooks.disable(webhook, reason, clock.now())) {
        log.warn({ webhook: webhook.id, session: webhook.session, reason }, 'webhook disabled');
      }
    },
    settings,
    log,
    clock,
    observer,
    random,
  });
  return {
    tester,
    start: () => dispatcher.start(),
    stop: async (budgetMs) => {
      await Promise.all([dispatcher.stop(budgetMs), tester.stop()]);
      await deliverer.close();
    },
  };
}
