/**
 * Takes due deliveries out of the outbox, sends them and writes down what became of them: at least once, and by any
 * number of gateways on one database. Most are given to it by the very commit that creates them; for the others it is
 * woken by new deliveries, by the next one that falls due, and by a slow look-around that finds leases of dispatchers
 * that died. How many deliveries one webhook may have in flight, in which order, and whether its receiver is given a
 * rest, is decided by the outbox's claim.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { inScope } from '../request-scope.ts';
import type { ClaimedDelivery, DeliveryOutcome, DeliveryTarget, OutboxStore } from '../store/webhook-records.ts';
import type { Observer } from '../telemetry/observer.ts';
import { tracedEntry, type OpenSpan } from '../tracing.ts';
import { classifyAttempt, verdictOf, type Verdict } from './classify-attempt.ts';
import type { Deliverer } from './deliver.ts';
import { goneReason } from './disable-rule.ts';
import { judge, type HealthSettings, type Judgement } from './judge.ts';

export interface DispatcherSettings extends HealthSettings {
  /** Milliseconds before each attempt, counted from the one before; its length is the number of attempts. */
  readonly scheduleMs: readonly number[];
  /** Requests in flight, over all webhooks. */
  readonly concurrency: number;
  /** How long a claimed delivery is ours; longer than an attempt can take. */
  readonly leaseMs: number;
}

export interface DispatcherOptions {
  readonly outbox: OutboxStore;
  readonly deliverer: Deliverer;
  /** Gives a webhook no more deliveries, for a reason in words. */
  readonly disable: (webhook: DeliveryTarget, reason: string) => Promise<void>;
  readonly settings: DispatcherSettings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer?: Pick<Observer, 'deliveryAttempted'> | undefined;
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
/** Rest after a claim that found something, and after one that found nothing although something is due. */
const heldBackMs = 250;
const firstErrorDelayMs = 500;
const lastErrorDelayMs = 15_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { outbox, deliverer, disable, settings, log, clock, random, observer } = options;
  const interrupt = new AbortController();
  const inFlight = new Map<string, Promise<void>>();
  /** Webhooks of which the last claim may have left something for want of places. */
  const crowded = new Set<string>();
  const unlisten: (() => void)[] = [];
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
        // Whoever woke us meanwhile wants another claim.
        if (isWoken) continue;
        // What was found wakes us when it ends, mostly sooner than the question for the next would be answered.
        sleep(found > 0 ? heldBackMs : await restMs());
        errorDelayMs = firstErrorDelayMs;
      } catch (error) {
        log.warn({ err: error, retryInMs: errorDelayMs }, 'outbox cannot be read');
        sleep(errorDelayMs);
        errorDelayMs = Math.min(errorDelayMs * 2, lastErrorDelayMs);
      }
    }
  };

  /** Work in flight wakes us when it ends, so what is due but held back needs no hurry. */
  const restMs = async (): Promise<number> => {
    const dueInMs = await outbox.nextDueInMs();
    return Math.max(heldBackMs, Math.min(dueInMs ?? lookAroundMs, lookAroundMs));
  };

  const claimAll = async (): Promise<number> => {
    let found = 0;
    for (;;) {
      const free = settings.concurrency - inFlight.size;
      if (free <= 0 || isStopped) return found;
      const claimed = await outbox.claim(free, settings.leaseMs);
      launchAll(claimed);
      found += claimed.length;
      if (claimed.length < free) return found;
    }
  };

  const launchAll = (deliveries: readonly ClaimedDelivery[]): void => {
    for (const { webhook, isCrowded } of deliveries) {
      if (isCrowded) crowded.add(webhook.id);
      else crowded.delete(webhook.id);
    }
    for (const delivery of deliveries) launch(delivery);
  };

  const launch = (delivery: ClaimedDelivery): void => {
    const origin = { requestId: delivery.origin?.requestId ?? null, traceparent: null };
    const work = inScope(origin, () => traceAttempt(delivery))
      .catch((error: unknown) => {
        // Its lease lapses and somebody sends it again: at least once.
        log.warn({ err: error, delivery: delivery.id }, 'outcome of a delivery could not be stored');
        return false;
      })
      .then((isDelivered) => {
        const wasFull = inFlight.size >= settings.concurrency;
        inFlight.delete(delivery.id);
        // What was due and had a place is claimed already: only what waited for this one can be had now.
        if (!isDelivered || delivery.isLaned || crowded.has(delivery.webhook.id) || wasFull) wake();
      });
    inFlight.set(delivery.id, work);
  };

  const traceAttempt = (delivery: ClaimedDelivery): Promise<boolean> =>
    tracedEntry(
      {
        name: 'webhook attempt',
        kind: 'client',
        parent: delivery.origin?.traceparent ?? null,
        attributes: {
          'warden.session': delivery.event.session,
          'warden.event': delivery.event.name,
          'warden.event_id': delivery.event.id,
          'warden.webhook': delivery.webhook.id,
          'warden.attempt': delivery.attempts + 1,
        },
      },
      (span) => send(delivery, span),
    );

  /** Answers whether it was delivered. */
  const send = async (delivery: ClaimedDelivery, span: OpenSpan): Promise<boolean> => {
    const attempt = await deliverer.attempt(delivery, interrupt.signal);
    const now = clock.now();
    const outcome = classifyAttempt(attempt, {
      attemptsBefore: delivery.attempts - delivery.scheduleOffset,
      isDue: delivery.isDue,
      scheduleMs: settings.scheduleMs,
      now,
      random: random(),
    });
    tell(delivery, outcome);
    const { httpStatus } = outcome;
    span.set({
      'warden.outcome': outcome.tag,
      ...(httpStatus === null ? {} : { 'http.response.status_code': httpStatus }),
    });
    observer?.deliveryAttempted(outcome.tag, outcome.durationMs);
    const verdict = verdictOf(attempt, now);
    if (verdict?.tag === 'failure' && verdict.isGone) await disable(delivery.webhook, goneReason);
    const judgement = await settle(delivery, outcome, verdict);
    if (judgement !== null && judgement.disable !== null) await disable(delivery.webhook, judgement.disable);
    return outcome.tag === 'delivered';
  };

  /** Answers what the attempt has made of the receiver's health; null when it was not the one to settle the delivery. */
  const settle = async (
    delivery: ClaimedDelivery,
    outcome: DeliveryOutcome,
    verdict: Verdict | null,
  ): Promise<Judgement | null> => {
    const judgements: Judgement[] = [];
    await outbox.settle({
      delivery,
      outcome,
      judge: (health, databaseNow) => {
        const judgement = judge(health, verdict, { now: databaseNow, settings });
        if (health.retryAt === null && judgement.health.retryAt !== null) {
          const { consecutiveFailures: failures, lastError: error } = judgement.health;
          log.warn({ webhook: delivery.webhook.id, failures, error }, 'webhook paused, its receiver keeps failing');
        }
        judgements.push(judgement);
        return judgement.health;
      },
    });
    return judgements.at(-1) ?? null;
  };

  const tell = (delivery: ClaimedDelivery, outcome: DeliveryOutcome): void => {
    const fields = {
      delivery: delivery.id,
      session: delivery.event.session,
      event: delivery.event.name,
      eventId: delivery.event.id,
      ...messageOf(delivery.event.data),
      attempt: delivery.attempts + 1,
      durationMs: outcome.durationMs,
      httpStatus: outcome.httpStatus,
    };
    if (outcome.tag === 'delivered') log.debug(fields, 'webhook delivered');
    else if (outcome.tag === 'dead') log.warn({ ...fields, error: outcome.error }, 'webhook delivery given up');
    else log.debug({ ...fields, error: outcome.error, outcome: outcome.tag }, 'webhook not delivered');
  };

  return {
    start: () => {
      if (unlisten.length > 0 || isStopped) return;
      const places = (): number => settings.concurrency - inFlight.size;
      unlisten.push(outbox.onNew(wake), outbox.onLeased({ places, leaseMs: settings.leaseMs, take: launchAll }));
      wake();
    },
    stop: async (budgetMs) => {
      isStopped = true;
      for (const end of unlisten) end();
      if (timer !== null) clearTimeout(timer);
      await round;
      const budget = setTimeout(() => interrupt.abort(), budgetMs);
      await Promise.all(inFlight.values());
      clearTimeout(budget);
    },
  };
}

/** The message that an event is about, for the log. */
function messageOf(data: unknown): { readonly messageId?: string } {
  const id: unknown = typeof data === 'object' && data !== null && 'message_id' in data ? data.message_id : null;
  return typeof id === 'string' ? { messageId: id } : {};
}
