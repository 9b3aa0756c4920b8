/** Sends a delivery at once because somebody wants to see whether the receiver works. */
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { DeliveriesStore, OutboxStore, WebhookKey } from '../store/webhook-records.ts';
import { classifyAttempt } from './classify-attempt.ts';
import type { Deliverer } from './deliver.ts';

export interface TestOutcome {
  readonly isDelivered: boolean;
  /** The id of the event, under which the log has the delivery. */
  readonly eventId: string;
  readonly httpStatus: number | null;
  readonly durationMs: number;
  readonly error: string | null;
  readonly excerpt: string | null;
}

export interface WebhookTester {
  /** Throws `webhook_not_found`; a receiver that fails is an answer. */
  test(key: WebhookKey): Promise<TestOutcome>;
  /** Breaks off tests under way. */
  stop(): Promise<void>;
}

interface TesterOptions {
  readonly deliveries: Pick<DeliveriesStore, 'createOnly'>;
  readonly outbox: Pick<OutboxStore, 'settle'>;
  readonly deliverer: Deliverer;
  readonly leaseMs: number;
  readonly clock: Clock;
}

/**
 * A test goes by the same way as every delivery and stands in the same log, but is made once, also to a webhook that is
 * disabled or paused, and counts for nothing in its health.
 */
export function createWebhookTester({ deliveries, outbox, deliverer, leaseMs, clock }: TesterOptions): WebhookTester {
  const interrupt = new AbortController();
  const running = new Set<Promise<TestOutcome>>();

  const run = async (key: WebhookKey): Promise<TestOutcome> => {
    const event = {
      name: 'test',
      data: { webhook_id: key.webhook, message: 'This is a test; nothing has happened.' },
    } as const;
    const delivery = await deliveries.createOnly(key, event, { at: clock.now(), leaseMs });
    if (delivery === null) throw new WardenError('webhook_not_found');
    const attempt = await deliverer.attempt(delivery, interrupt.signal);
    // A schedule without a second attempt: what failed is dead.
    const outcome = classifyAttempt(attempt, {
      attemptsBefore: 0,
      isDue: true,
      scheduleMs: [0],
      now: clock.now(),
      random: 0,
    });
    const { durationMs, httpStatus, excerpt } = outcome;
    const isDelivered = outcome.tag === 'delivered';
    const error = isDelivered ? null : outcome.error;
    const ended = { durationMs, httpStatus, excerpt };
    await outbox.settle({
      delivery,
      outcome: error === null ? outcome : { tag: 'dead', error, ...ended },
      judge: (health) => health,
    });
    return { isDelivered, eventId: delivery.event.id, error, ...ended };
  };

  return {
    test: async (key) => {
      const work = run(key);
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
      }
    },
    stop: async () => {
      interrupt.abort();
      await Promise.allSettled(running);
    },
  };
}
