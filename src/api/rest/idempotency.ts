/**
 * Carries out a request with an Idempotency-Key once, whatever its client repeats. Requests of this process with the same
 * key wait for each other; what another process has taken is seen in the store.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever } from '../../contract/assert-never.ts';
import { toWardenError, WardenError } from '../../contract/errors.ts';
import { operations, type OperationName } from '../../contract/index.ts';
import type { Operation } from '../../contract/operation.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import type { IdempotencyOutcome, IdempotencyScope } from '../../store/idempotency-store.ts';
import type { NewMessage } from '../../store/scheduled-store.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fateOf, verdictOn, verdictOnScheduled, verdictOnSend } from './idempotency-decision.ts';
import { fingerprintOf } from './idempotency-key.ts';
import { outcomeOf, withoutSecrets } from './outcome.ts';

/** A key as the client sent it, and whose it is. */
export interface RequestKey {
  readonly principal: string;
  readonly key: string;
}

interface KeyedRequest {
  readonly name: OperationName;
  readonly key: RequestKey | null;
  readonly row: SessionRow | null;
  /** Validated. */
  readonly params: unknown;
  readonly upload: UploadedFile | null;
}

/** Takes the key, at the last moment before something happens; with a message both are kept or neither. */
export type TakeKey = (message: NewMessage | null) => Promise<void>;

/** The answer of the request that came first with the key, or the present state of its message. */
export class ReplayedAnswer {
  readonly outcome: Exclude<IdempotencyOutcome, { tag: 'unknown' }>;

  constructor(outcome: ReplayedAnswer['outcome']) {
    this.outcome = outcome;
  }
}

interface Running {
  readonly fingerprint: string;
  /** Never rejects. */
  readonly done: Promise<unknown>;
}

interface Attempt {
  readonly scope: IdempotencyScope;
  readonly fingerprint: string;
  readonly name: OperationName;
}

/** How long a repetition waits for the request that is under way. */
const patienceMs = 2_000;
const pollMs = 200;
/** A request is given up by its caller at its deadline; what it has begun may take a little longer. */
const leaseMarginMs = 10_000;

/** Another process has taken the key. */
class KeyTaken extends Error {
  override readonly name = 'KeyTaken';
}

const busy = Symbol('busy');

export class Idempotency {
  readonly #dependencies: Pick<ApiDependencies, 'store' | 'settings' | 'clock' | 'log'>;
  readonly #running = new Map<string, Running>();

  constructor(dependencies: Pick<ApiDependencies, 'store' | 'settings' | 'clock' | 'log'>) {
    this.#dependencies = dependencies;
  }

  /**
   * Runs `work`, which takes the key before it does anything, or answers a ReplayedAnswer. Throws
   * `idempotency_key_reused`, `request_in_progress`, `outcome_unknown`, and what `work` throws.
   */
  async once(request: KeyedRequest, work: (take: TakeKey) => Promise<unknown>): Promise<unknown> {
    const { clock } = this.#dependencies;
    const { name, row, params, upload } = request;
    if (request.key === null) return work((message) => this.#acceptOnly(message));
    const scope = { ...request.key, session: row?.id ?? null, operation: name };
    const uploaded = upload === null ? null : { sha256: await sha256Of(upload.file.path), fileName: upload.fileName };
    const attempt = { scope, fingerprint: fingerprintOf(params, uploaded), name };
    const id = JSON.stringify([scope.principal, scope.session, name, scope.key]);
    const givesUpAt = clock.monotonic() + patienceMs;
    for (;;) {
      const other = this.#running.get(id);
      const leftMs = givesUpAt - clock.monotonic();
      if (other === undefined) {
        const answer = await this.#alone(id, attempt, work);
        if (answer !== busy) return answer;
        await delay(Math.max(0, Math.min(pollMs, leftMs)));
      } else {
        if (other.fingerprint !== attempt.fingerprint) throw new WardenError('idempotency_key_reused');
        await Promise.race([other.done, delay(Math.max(0, leftMs), null, { ref: false })]);
      }
      if (clock.monotonic() >= givesUpAt) throw new WardenError('request_in_progress', { retryAfterMs: 1_000 });
    }
  }

  async #acceptOnly(message: NewMessage | null): Promise<void> {
    const { store } = this.#dependencies;
    if (message?.tag === 'accepted') await store.messages.accept(message.send);
    if (message?.tag === 'scheduled') await store.scheduled.add(message.send);
  }

  /** Keeps others of this process waiting meanwhile. */
  async #alone(id: string, attempt: Attempt, work: (take: TakeKey) => Promise<unknown>): Promise<unknown> {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#running.set(id, { fingerprint: attempt.fingerprint, done });
    try {
      return (await this.#known(attempt)) ?? (await this.#execute(attempt, work));
    } finally {
      this.#running.delete(id);
      resolve();
    }
  }

  /** The answer that the key has already, `busy` while another process works on it, null when it is free. */
  async #known({ scope, fingerprint, name }: Attempt): Promise<ReplayedAnswer | typeof busy | null> {
    const { store, clock } = this.#dependencies;
    const found = await store.idempotency.find(scope);
    if (found === null) return null;
    const { idempotent } = operations[name];
    const verdict = verdictOn(found, { fingerprint, idempotent, now: clock.now() });
    switch (verdict.tag) {
      case 'mismatch':
        throw new WardenError('idempotency_key_reused');
      case 'unknown':
        throw new WardenError('outcome_unknown');
      case 'running':
        return busy;
      case 'replay':
        return new ReplayedAnswer(verdict.outcome);
      case 'message': {
        const state = await this.#stateOf(scope, verdict.id);
        if (state === null) await store.idempotency.release(found.ordinal);
        return state;
      }
      case 'free':
        await store.idempotency.release(found.ordinal);
        return null;
      default:
        return assertNever(verdict);
    }
  }

  /** Where the message of a key is now; null when it may be sent anew. */
  async #stateOf({ session }: IdempotencyScope, id: string): Promise<ReplayedAnswer | null> {
    const { store } = this.#dependencies;
    // In the order in which it moves: it is in one of both.
    const scheduled = session === null ? null : await store.scheduled.find(session, id);
    const message = session === null || scheduled !== null ? null : await store.messages.find(session, id);
    const state = scheduled === null ? verdictOnSend(message) : verdictOnScheduled(scheduled);
    switch (state.tag) {
      case 'answer':
        return new ReplayedAnswer({ tag: 'answer', ...state.outcome });
      case 'error':
        return new ReplayedAnswer({ tag: 'error', error: state.error.toPlain() });
      case 'again':
        return null;
      default:
        return assertNever(state);
    }
  }

  async #execute(attempt: Attempt, work: (take: TakeKey) => Promise<unknown>): Promise<unknown> {
    const { store, settings, clock } = this.#dependencies;
    const { scope, fingerprint, name } = attempt;
    const operation: Operation = operations[name];
    const taken: { ordinal: number | null } = { ordinal: null };
    const take: TakeKey = async (message) => {
      const now = clock.now();
      const leaseUntil = message === null ? now + operation.deadlineMs + leaseMarginMs : null;
      const claim = { scope, fingerprint, leaseUntil, expiresAt: now + settings.idempotency.ttlMs };
      taken.ordinal = await store.idempotency.claim(claim, message);
      if (taken.ordinal === null) throw new KeyTaken();
    };
    try {
      const result = await work(take);
      const outcome = outcomeOf(name, result);
      // What is on its way has no outcome yet: a repetition is told where the message is then.
      if (operation.runs !== 'send' || outcome.status !== 202) {
        await this.#settle(taken.ordinal, (ordinal) =>
          store.idempotency.finish(ordinal, { tag: 'answer', ...withoutSecrets(outcome, operation) }),
        );
      }
      return result;
    } catch (thrown) {
      if (thrown instanceof KeyTaken) return busy;
      await this.#fail(taken.ordinal, operation, toWardenError(thrown));
      throw thrown;
    }
  }

  async #fail(ordinal: number | null, operation: Operation, error: WardenError): Promise<void> {
    const { idempotency } = this.#dependencies.store;
    const fate = fateOf(error, operation);
    switch (fate) {
      case 'keep':
        return this.#settle(ordinal, (taken) => idempotency.finish(taken, { tag: 'error', error: error.toPlain() }));
      case 'unknown':
        return this.#settle(ordinal, (taken) => idempotency.finish(taken, { tag: 'unknown' }));
      case 'release':
        return this.#settle(ordinal, (taken) => idempotency.release(taken));
      case 'leave':
        return undefined;
      default:
        return assertNever(fate);
    }
  }

  /** The request has its answer, whether that can be kept or not; a message's row, or the end of the lease, tells the rest. */
  async #settle(ordinal: number | null, write: (ordinal: number) => Promise<void>): Promise<void> {
    if (ordinal === null) return;
    await write(ordinal).catch((error: unknown) =>
      this.#dependencies.log.warn({ err: error }, 'the answer to an idempotent request could not be kept'),
    );
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
