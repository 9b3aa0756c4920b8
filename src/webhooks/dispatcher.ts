/**
 * Takes due deliveries out of the outbox, sends them and writes down what became of them: at least once, and by any
 * number of gateways on one database. It is woken by new deliveries, by the next one that falls due, and by a slow
 * look-around that finds leases of dispatchers that died. How many deliveries one webhook may have in flight, and in
 * which order, is decided by the outbox's claim.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { ClaimedDelivery, OutboxStore } from '../store/store.ts';
import { classifyAttempt } from './classify-attempt.ts';
import { createDeliverer, type DeliverSettings } from './deliver.ts';

export interface DispatcherSettings extends DeliverSettings {
  /** Milliseconds before each attempt, counted from the one before; its length is the number of attempts. */
  readonly scheduleMs: readonly number[];
  /** Requests in flight, over all webhooks. */
  readonly concurrency: number;
  /** How long a claimed delivery is ours; longer than an attempt can take. */
  readonly leaseMs: number;
}

export interface DispatcherOptions {
  readonly outbox: OutboxStore;
  /** A receiver says that its webhook is gone for good: 410, as Standard Webhooks has it. */
  readonly onGone: (webhook: ClaimedDelivery['webhook']) => Promise<void>;
  readonly settings: DispatcherSettings;
  readonly log: Logger;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface Dispatcher {
  start(): void;
  /**
   * Claims no more, lets requests in flight end within the budget, then breaks them off; those are due again at once.
   * Never rejects.
   */
  stop(budgetMs: number): Promise<void>;
}

/** Finds what no notification told of: leases that lapsed, and notifications lost with the connection. */
const lookAroundMs = 15_000;
/** Rest after a claim that found nothing although something is due. */
const heldBackMs = 250;
const goneStatus = 410;
const firstErrorDelayMs = 500;
const lastErrorDelayMs = 15_000;

export function createDispatcher({ outbox, onGone, settings, log, clock, random }: DispatcherOptions): Dispatcher {
  const deliverer = createDeliverer(settings, clock);
  const interrupt = new AbortController();
  const inFlight = new Map<string, Promise<void>>();
  let unlisten: (() => void) | null = null;
  let timer: NodeJS.Timeout | null = null;
  let round: Promise<void> | null = null;
  let isWoken = false;
  let isStopped = false;
  let errorDelayMs = firstErrorDelayMs;

  const wake = (): void => {
    if (isStopped) return;
    isWoken = true;
    round ??= runRounds().finally(() => {
      round = null;
      // A wake-up between the last look and here would be lost otherwise.
      if (isWoken) wake();
    });
  };

  const sleep = (delayMs: number): void => {
    if (timer !== null) clearTimeout(timer);
    if (!isStopped) timer = setTimeout(wake, delayMs);
  };

  const runRounds = async (): Promise<void> => {
    for (;;) {
      if (!isWoken || isStopped) return;
      isWoken = false;
      try {
        const found = await claimAll();
        const dueInMs = await outbox.nextDueInMs();
        const wait = dueInMs === null ? lookAroundMs : Math.min(dueInMs, lookAroundMs);
        // Work in flight wakes us when it ends, so what is due but held back needs no hurry.
        sleep(Math.max(wait, found > 0 ? 0 : heldBackMs));
        errorDelayMs = firstErrorDelayMs;
      } catch (error) {
        log.warn({ err: error, retryInMs: errorDelayMs }, 'outbox cannot be read');
        sleep(errorDelayMs);
        errorDelayMs = Math.min(errorDelayMs * 2, lastErrorDelayMs);
      }
    }
  };

  const claimAll = async (): Promise<number> => {
    let found = 0;
    for (;;) {
      const free = settings.concurrency - inFlight.size;
      if (free <= 0 || isStopped) return found;
      const claimed = await outbox.claim(free, settings.leaseMs);
      for (const delivery of claimed) launch(delivery);
      found += claimed.length;
      if (claimed.length < free) return found;
    }
  };

  const launch = (delivery: ClaimedDelivery): void => {
    const work = send(delivery)
      .catch((error: unknown) => {
        // Its lease lapses and somebody sends it again: at least once.
        log.warn({ err: error, delivery: delivery.id }, 'outcome of a delivery could not be stored');
      })
      .finally(() => {
        inFlight.delete(delivery.id);
        wake();
      });
    inFlight.set(delivery.id, work);
  };

  const send = async (delivery: ClaimedDelivery): Promise<void> => {
    const attempt = await deliverer.attempt(delivery, interrupt.signal);
    const outcome = classifyAttempt(attempt, {
      attemptsBefore: delivery.attempts,
      scheduleMs: settings.scheduleMs,
      now: clock.now(),
      random: random(),
    });
    const fields = {
      delivery: delivery.id,
      session: delivery.event.session,
      event: delivery.event.name,
      attempt: delivery.attempts + 1,
      durationMs: outcome.durationMs,
      httpStatus: outcome.httpStatus,
    };
    if (outcome.tag === 'delivered') log.debug(fields, 'webhook delivered');
    else if (outcome.tag === 'retry')
      log.debug({ ...fields, error: outcome.error, delayMs: outcome.delayMs }, 'webhook to be retried');
    else log.warn({ ...fields, error: outcome.error }, 'webhook delivery given up');
    if (outcome.tag === 'dead' && outcome.httpStatus === goneStatus) await onGone(delivery.webhook);
    await outbox.settle(delivery.id, outcome);
  };

  return {
    start: () => {
      if (unlisten !== null || isStopped) return;
      unlisten = outbox.onNew(wake);
      wake();
    },
    stop: async (budgetMs) => {
      isStopped = true;
      unlisten?.();
      if (timer !== null) clearTimeout(timer);
      await round;
      const budget = setTimeout(() => interrupt.abort(), budgetMs);
      await Promise.all(inFlight.values());
      clearTimeout(budget);
      await deliverer.close();
    },
  };
}
