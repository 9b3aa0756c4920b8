/**
 * Works on one bulk for as long as this gateway holds its lease: one message after the other, each accepted together with
 * the word that its recipient has it, so that no crash makes it two or none.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever } from '../contract/assert-never.ts';
import type { Clock } from '../clock.ts';
import type { MessageId } from '../contract/ids.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { BulkCounts, BulkLease, BulkRow, QueuedRecipient } from '../store/bulk-store.ts';
import type { AcceptedSend, SessionRow, Store } from '../store/store.ts';
import type { Governors } from '../supervisor/governors.ts';
import type { Hold } from '../supervisor/pacing-policy.ts';
import type { SessionView } from '../supervisor/session-view.ts';
import { bulkEvent } from './bulk-event.ts';
import { paramsFor } from './bulk-message.ts';
import { differs, isThrough } from './bulk-progress.ts';
import { nextStep } from './next-step.ts';
import { RecipientQueue } from './recipient-queue.ts';

export interface BulkDependencies {
  readonly store: Pick<Store, 'bulks' | 'sessions' | 'commits'>;
  readonly supervisor: {
    view(row: SessionRow): Pick<SessionView, 'status' | 'statusReason'>;
    send(accepted: AcceptedSend, isAdmitted: boolean): Promise<SendAnswer>;
  };
  readonly pacing: Pick<Governors, 'of'>;
  readonly newMessageId: () => MessageId;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Logger;
}

const renewMs = 3000;
/** What changed from outside is noticed so soon. */
const longestWaitMs = 1000;
const settleMs = 250;
const tellMs = 1000;
/** While nothing is sent only receipts change. */
const tellIdleMs = 10_000;
/** People who write meanwhile become free to be sent to. */
const searchAnewMs = 60_000;

export class BulkRun {
  readonly #dependencies: BulkDependencies;
  readonly #lease: BulkLease;
  readonly #signal: AbortSignal;
  readonly #queue: RecipientQueue;
  readonly #stopped: Promise<unknown>;
  #dueAt = 0;
  #searchAt = 0;
  #held: BulkRow['held'] = null;
  #told: { counts: BulkCounts | null; at: number } = { counts: null, at: 0 };

  constructor(dependencies: BulkDependencies, lease: BulkLease, signal: AbortSignal) {
    this.#dependencies = dependencies;
    this.#lease = lease;
    this.#signal = signal;
    this.#stopped = once(signal, 'abort');
    this.#queue = new RecipientQueue(dependencies.store.bulks, lease.id);
  }

  /** Resolves when the bulk is over, paused, somebody else's, or cannot go on here; the lease is given up. */
  async run(): Promise<void> {
    const { bulks } = this.#dependencies.store;
    // An answer of WhatsApp may take longer than the lease.
    const renewal = setInterval(() => void bulks.hold(this.#lease).catch(() => null), renewMs);
    try {
      while (!this.#signal.aborted) {
        const bulk = await bulks.hold(this.#lease);
        if (bulk === null || !(await this.#step(bulk))) return;
      }
    } finally {
      clearInterval(renewal);
      await bulks.release(this.#lease).catch(() => undefined);
    }
  }

  /** Answers whether there is more to do here. */
  async #step(bulk: BulkRow): Promise<boolean> {
    const { store, supervisor, clock } = this.#dependencies;
    const row = await store.sessions.get(bulk.session);
    if (row === null) return false;
    this.#held = bulk.held;
    const { status, statusReason: reason } = supervisor.view(row);
    const recipient = await this.#queue.first();
    const step = nextStep(
      { ...bulk, dueAt: this.#dueAt, hasQueued: recipient !== null, session: { status, reason } },
      clock.now(),
    );
    switch (step.tag) {
      case 'yield':
        return false;
      case 'pause':
        if (await store.bulks.setStatus(bulk.id, 'paused', step.reason)) {
          await this.#tell({ ...bulk, status: 'paused' }, 0);
        }
        return false;
      case 'wait':
        await this.#wait(step.until);
        return true;
      case 'settle':
        return this.#settle(bulk);
      case 'send':
        if (recipient !== null) await this.#sendNext(bulk, row, recipient);
        return true;
      default:
        return assertNever(step);
    }
  }

  async #settle(bulk: BulkRow): Promise<boolean> {
    const { store, clock } = this.#dependencies;
    const now = clock.now();
    const [counts] = await store.bulks.countAll([bulk], now);
    if (counts !== undefined && isThrough(counts)) {
      const status = 'finished';
      await store.bulks.finish(this.#lease, now, (final) => bulkEvent('bulk_finished', { ...bulk, status }, final));
      return false;
    }
    await this.#tell(bulk, tellMs);
    await this.#wait(now + settleMs);
    return true;
  }

  /** The first recipient that pacing lets through; while new chats wait, others go on. */
  async #sendNext(bulk: BulkRow, row: SessionRow, first: QueuedRecipient): Promise<void> {
    const governor = this.#dependencies.pacing.of(row);
    const hold = await governor.passSpare(first.chat);
    if (hold === null) return this.#send(bulk, first);
    if (hold.scope === 'all') return this.#waitFor(bulk, hold);
    const now = this.#dependencies.clock.now();
    if (now < this.#searchAt) return this.#waitFor(bulk, hold);
    const free = await this.#queue.firstFree((chats) => governor.listFree(chats));
    if (free === null) {
      this.#queue.searchAnew();
      this.#searchAt = now + searchAnewMs;
      return this.#waitFor(bulk, hold);
    }
    const other = await governor.passSpare(free.chat);
    return other === null ? this.#send(bulk, free) : this.#waitFor(bulk, other);
  }

  async #send(bulk: BulkRow, recipient: QueuedRecipient): Promise<void> {
    const { store, supervisor, clock, random, log, newMessageId } = this.#dependencies;
    const { chat, position, variables } = recipient;
    const acceptedAt = clock.now();
    const accepted: AcceptedSend = {
      session: bulk.session,
      id: newMessageId(),
      operation: bulk.operation,
      params: paramsFor(bulk.params, chat, variables),
      chat,
      acceptedAt,
      expiresAt: acceptedAt + bulk.ttlMs,
      media: bulk.prepared,
    };
    this.#queue.drop(recipient);
    if (!(await store.bulks.accept(this.#lease, position, accepted))) return;
    this.#dueAt = acceptedAt + bulk.intervalMs + random() * bulk.jitterMs;
    if (this.#held !== null) await this.#hold(null);
    // Whatever becomes of it, its row says so; a stop does not wait for WhatsApp.
    const sent = supervisor.send(accepted, true).catch((error: unknown) => {
      log.debug({ err: error, bulk: bulk.id }, 'message of a bulk failed');
    });
    await Promise.race([sent, this.#stopped]);
    await this.#tell(bulk, tellMs);
  }

  async #waitFor(bulk: BulkRow, hold: Hold): Promise<void> {
    const { clock } = this.#dependencies;
    const isWorthTelling = hold.until - clock.now() > longestWaitMs;
    if (isWorthTelling && hold.until !== this.#held?.until) {
      await this.#hold({ until: hold.until, reason: hold.reason });
    }
    await this.#tell(bulk, tellIdleMs);
    await this.#wait(hold.until);
  }

  async #hold(held: BulkRow['held']): Promise<void> {
    this.#held = held;
    await this.#dependencies.store.bulks.setHeld(this.#lease, held);
  }

  /** Tells how far it is, when that has changed and was not told for so long. */
  async #tell(bulk: BulkRow, leastMs: number): Promise<void> {
    const { store, clock } = this.#dependencies;
    const now = clock.now();
    if (now - this.#told.at < leastMs) return;
    const [counts] = await store.bulks.countAll([bulk], now);
    if (counts === undefined) return;
    const isNews = differs(this.#told.counts, counts) || bulk.status === 'paused';
    this.#told = { counts, at: now };
    if (isNews) await store.commits.emit(bulk.session, bulkEvent('bulk_progress', bulk, counts), now);
  }

  async #wait(until: number): Promise<void> {
    const delayMs = Math.min(Math.max(until - this.#dependencies.clock.now(), 1), longestWaitMs);
    await delay(delayMs, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}
