/** Holds back all starts while children die by the dozen, and lets one of them try from time to time. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { childDied, childReady, noMassFailure, pauseOver, type MassFailure } from './mass-failure.ts';
import type { MassFailurePolicy } from './settings.ts';
import type { StartGate } from './start-gate.ts';

interface BreakerOptions {
  readonly gate: StartGate;
  readonly policy: MassFailurePolicy;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: () => void;
}

export interface BreakerView {
  readonly state: MassFailure['tag'];
  readonly deathsInWindow: number;
  /** Milliseconds until one child may try; null unless paused. */
  readonly pausedMs: number | null;
  /** Times that starts were paused since the gateway runs. */
  readonly trips: number;
}

export class StartBreaker {
  readonly #options: BreakerOptions;
  #state: MassFailure = noMassFailure;
  #timer: NodeJS.Timeout | null = null;
  #trips = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get view(): BreakerView {
    const { policy, clock } = this.#options;
    const now = clock.monotonic();
    const { tag, deaths, until } = this.#state;
    return {
      state: tag,
      deathsInWindow: deaths.filter((at) => now - at < policy.windowMs).length,
      pausedMs: until === null ? null : Math.max(0, until - now),
      trips: this.#trips,
    };
  }

  /** Milliseconds for which nothing is started; 0 while one child tries, null when starts go on. */
  get pausedMs(): number | null {
    return this.#state.tag === 'closed' ? null : (this.view.pausedMs ?? 0);
  }

  /** A child has ended unplanned, one of so many. */
  died(children: number): void {
    const { policy, clock, log } = this.#options;
    const before = this.#state.tag;
    this.#become(childDied(this.#state, { children, now: clock.monotonic() }, policy));
    if (this.#state.tag !== 'paused' || before === 'paused') return;
    this.#trips++;
    log.error({ children, pause_ms: this.#state.lastPauseMs }, 'many children died at once, starts are paused');
  }

  ready(): void {
    const wasProbing = this.#state.tag === 'probing';
    this.#become(childReady(this.#state));
    if (wasProbing) this.#options.log.info('a child has become ready, starts go on');
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #become(state: MassFailure): void {
    const hasChanged = state.tag !== this.#state.tag;
    this.#state = state;
    if (!hasChanged) return;
    const { gate, policy, clock, onChange } = this.#options;
    this.dispose();
    if (state.tag === 'paused') this.#awaitEnd(state.until ?? clock.monotonic());
    // The one that was let through may have been stopped by a person meanwhile: another one may try.
    if (state.tag === 'probing') this.#timer = setInterval(() => gate.allow('one'), policy.pauseMs);
    gate.allow(state.tag === 'closed' ? 'all' : state.tag === 'probing' ? 'one' : 'none');
    onChange();
  }

  #awaitEnd(until: number): void {
    const { clock } = this.#options;
    const wake = () => {
      this.#become(pauseOver(this.#state, clock.monotonic()));
      if (this.#state.tag === 'paused') this.#awaitEnd(until);
    };
    this.#timer = setTimeout(wake, Math.max(1, Math.ceil(until - clock.monotonic())));
  }
}
