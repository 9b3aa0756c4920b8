/**
 * Drives one child: feeds facts to the process machine and performs the effects it returns. Owns the process, its
 * channel, its timers and its record on disk; knows nothing of sessions.
 */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../clock.ts';
import { Channel, processPort, type Handlers } from '../contract/channel.ts';
import { WardenError } from '../contract/errors.ts';
import {
  protocolVersion,
  type ChildNotices,
  type LinkSnapshot,
  type SupervisorNotices,
  type ToChild,
  type ToSupervisor,
} from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import { classifyExit, type ExitVerdict, type KillCause } from './exit-cause.ts';
import { judgeMemory, type MemoryCaps } from './memory-policy.ts';
import type { OrphanRecords } from './orphans.ts';
import { privateMemoryBytes } from './proc.ts';
import {
  dueAt,
  hasProcess,
  initialProcess,
  stepProcess,
  type ProcessEffect,
  type ProcessFact,
  type ProcessState,
} from './process-machine.ts';
import type { SupervisorSettings } from './settings.ts';
import { spawnChild, type Wrappers } from './spawn.ts';
import type { Slot, StartGate } from './start-gate.ts';
import { StderrTail } from './stderr-tail.ts';
import { beginWatch, heard, judge, look, type Watch } from './watchdog.ts';

export type ChildChannel = Channel<ToChild, ToSupervisor, SupervisorNotices, ChildNotices>;

/** What children of one supervisor share. */
export interface ChildEnvironment {
  readonly childEntry: string;
  readonly settings: SupervisorSettings;
  readonly gate: StartGate;
  readonly wrappers: () => Wrappers;
  readonly orphans: OrphanRecords;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

export interface ChildListeners {
  readonly handlers: Handlers<ToSupervisor>;
  /** Asked at each spawn. */
  readonly caps: () => MemoryCaps;
  /** A process of our protocol is there. */
  readonly onHello: () => void;
  readonly onLink: (snapshot: LinkSnapshot) => void;
  /** The process has ended; the state tells what follows. */
  readonly onGone: (verdict: ExitVerdict) => void;
  readonly onState: () => void;
}

interface Incarnation {
  readonly process: ChildProcess;
  readonly channel: ChildChannel;
  readonly stderr: StderrTail;
  readonly caps: MemoryCaps;
  readonly pulse: NodeJS.Timeout;
  wasAsked: boolean;
  memoryBytes: number | null;
  watch: Watch;
  isOver: boolean;
}

const channelWindow = { requests: 64, bytes: 8 * 1_048_576 };
const requestDeadlineMs = 30_000;
/** How long after its exit the last words of a process are waited for. */
const closeGraceMs = 500;

export class ManagedChild {
  readonly #environment: ChildEnvironment;
  readonly #listeners: ChildListeners;
  #state: ProcessState = initialProcess;
  #incarnation: Incarnation | null = null;
  #lastExitAt: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #slot: Slot | null = null;
  #leaveLine: (() => void) | null = null;
  readonly #goneWaiters: (() => void)[] = [];

  constructor(environment: ChildEnvironment, listeners: ChildListeners) {
    this.#environment = environment;
    this.#listeners = listeners;
  }

  get state(): ProcessState {
    return this.#state;
  }
  get pid(): number | null {
    return this.#incarnation?.process.pid ?? null;
  }
  get memoryBytes(): number | null {
    return this.#incarnation?.memoryBytes ?? null;
  }
  get capBytes(): number {
    return (this.#incarnation?.caps ?? this.#listeners.caps()).capBytes;
  }
  get channel(): ChildChannel | null {
    return this.#incarnation?.channel ?? null;
  }
  /** Unix milliseconds of the last exit. */
  get lastExitAt(): number | null {
    return this.#lastExitAt;
  }
  /** Milliseconds until the next try; null when none is planned. */
  get retryInMs(): number | null {
    const { life } = this.#state;
    const isWaiting = life.tag === 'backoff' || life.tag === 'crash_loop';
    return isWaiting ? Math.max(0, life.dueAt - this.#environment.clock.monotonic()) : null;
  }
  /** Milliseconds without a heartbeat, once they are suspicious. */
  get silentMs(): number | null {
    const { life } = this.#state;
    const incarnation = this.#incarnation;
    if (life.tag !== 'running' || incarnation === null) return null;
    return judge(incarnation.watch, this.#watchLimits) === 'well' ? null : incarnation.watch.silentMs;
  }

  start(): void {
    this.#step({ tag: 'start_wanted' });
  }
  stop(): void {
    this.#step({ tag: 'stop_wanted' });
  }
  /** A child that is suspected to hang is not asked but killed. */
  restart(): void {
    this.#step({ tag: 'restart_wanted', isHung: this.silentMs !== null });
  }
  ready(): void {
    this.#step({ tag: 'ready' });
  }
  useful(): void {
    this.#step({ tag: 'useful' });
  }
  doom(cause: KillCause): void {
    this.#step({ tag: 'doomed', cause });
  }

  /** Resolves when there is no process any more. */
  gone(): Promise<void> {
    if (!hasProcess(this.#state.life)) return Promise.resolve();
    return new Promise((resolve) => this.#goneWaiters.push(resolve));
  }

  get #watchLimits() {
    const { heartbeatSuspectMs, heartbeatKillMs } = this.#environment.settings;
    return { suspectMs: heartbeatSuspectMs, killMs: heartbeatKillMs };
  }

  #step(fact: ProcessFact): void {
    const { settings, clock, random } = this.#environment;
    const before = this.#state;
    const { state, effects } = stepProcess(before, fact, {
      policy: settings,
      now: clock.monotonic(),
      random: random(),
    });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (state.life.tag !== 'starting') this.#leaveGate();
    this.#arm();
    if (state.life.tag !== before.life.tag) {
      this.#environment.log.debug(
        { from: before.life.tag, to: state.life.tag, pid: this.pid },
        'child changed its state',
      );
      if (state.life.tag === 'crash_loop') {
        this.#environment.log.warn({ cause: state.lastExit?.cause }, 'child keeps ending, retrying slowly');
      }
    }
    if (state !== before) this.#listeners.onState();
  }

  #perform(effect: ProcessEffect): void {
    switch (effect.tag) {
      case 'await_slot':
        this.#leaveGate();
        this.#leaveLine = this.#environment.gate.await((slot) => {
          this.#leaveLine = null;
          this.#slot = slot;
          this.#step({ tag: 'slot_granted' });
        });
        return;
      case 'spawn':
        this.#spawn();
        return;
      case 'shut_down':
        this.#askToEnd(effect.deadlineMs);
        return;
      case 'kill':
        this.#incarnation?.process.kill('SIGKILL');
    }
  }

  #leaveGate(): void {
    this.#leaveLine?.();
    this.#leaveLine = null;
    this.#slot?.release();
    this.#slot = null;
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const at = dueAt(this.#state.life);
    this.#timer =
      at === null
        ? null
        : setTimeout(
            () => this.#step({ tag: 'due' }),
            Math.max(1, Math.ceil(at - this.#environment.clock.monotonic())),
          );
  }

  #spawn(): void {
    const { childEntry, settings, wrappers, orphans, clock, log } = this.#environment;
    const caps = this.#listeners.caps();
    const child = spawnChild({
      entry: childEntry,
      caps,
      wrappers: wrappers(),
      environment: settings.childEnvironment,
      onError: (error) => {
        log.warn({ err: error, pid: child.pid }, 'child process reported an error');
        if (child.pid === undefined) this.#over(incarnation, { code: null, signal: null, spawnError: error.message });
      },
    });
    const tickMs = Math.min(1000, Math.max(50, settings.heartbeatSuspectMs / 4));
    const incarnation: Incarnation = {
      process: child,
      channel: this.#open(child),
      stderr: new StderrTail(child.stderr),
      caps,
      pulse: setInterval(() => this.#pulse(incarnation, tickMs), tickMs),
      wasAsked: false,
      memoryBytes: null,
      watch: beginWatch(clock.monotonic()),
      isOver: false,
    };
    this.#incarnation = incarnation;
    if (child.pid !== undefined) orphans.note(child.pid);
    // `close` comes after all of stderr was read; a grandchild that holds the pipe must not hold us.
    child.once('exit', (code, signal) => {
      const grace = setTimeout(() => this.#over(incarnation, { code, signal, spawnError: null }), closeGraceMs);
      child.once('close', () => {
        clearTimeout(grace);
        this.#over(incarnation, { code, signal, spawnError: null });
      });
    });
    log.debug({ pid: child.pid, cap_bytes: caps.capBytes }, 'child spawned');
  }

  #open(child: ChildProcess): ChildChannel {
    return new Channel<ToChild, ToSupervisor, SupervisorNotices, ChildNotices>(processPort(child), {
      handlers: this.#listeners.handlers,
      notices: {
        hello: ({ protocol }) => {
          const incarnation = this.#incarnation;
          if (incarnation?.process !== child) return;
          if (protocol !== protocolVersion) this.doom('protocol_mismatch');
          else this.#listeners.onHello();
        },
        link: (snapshot) => this.#listeners.onLink(snapshot),
        log: ({ level, message, fields }) => this.#environment.log[level]({ ...fields, pid: child.pid }, message),
        heartbeat: () => {
          const incarnation = this.#incarnation;
          if (incarnation?.process !== child) return;
          const wasSilent = this.silentMs !== null;
          incarnation.watch = heard(this.#environment.clock.monotonic());
          if (wasSilent) this.#listeners.onState();
        },
      },
      window: channelWindow,
      overflow: 'reject',
      deadlineMs: requestDeadlineMs,
      timeoutCode: 'session_busy',
    });
  }

  #askToEnd(deadlineMs: number): void {
    const incarnation = this.#incarnation;
    if (incarnation === null) return;
    incarnation.wasAsked = true;
    // Whether it obeys is seen by its exit; a child that does not is killed at the deadline.
    incarnation.channel.request('shutdown', { deadlineMs }, { deadlineMs, urgent: true }).catch(() => null);
  }

  #pulse(incarnation: Incarnation, tickMs: number): void {
    const { pid } = incarnation.process;
    const { clock, log } = this.#environment;
    incarnation.watch = look(incarnation.watch, clock.monotonic(), tickMs);
    incarnation.memoryBytes = pid === undefined ? null : privateMemoryBytes(pid);
    if (incarnation.memoryBytes !== null && judgeMemory(incarnation.memoryBytes, incarnation.caps) === 'kill') {
      log.warn({ pid, memory_bytes: incarnation.memoryBytes }, 'child is over its memory cap, killing it');
      this.doom('memory');
      return;
    }
    if (this.#state.life.tag !== 'running') return;
    const liveliness = judge(incarnation.watch, this.#watchLimits);
    if (liveliness === 'suspect') this.#listeners.onState();
    if (liveliness === 'dead') {
      log.warn({ pid, silent_ms: incarnation.watch.silentMs }, 'child no longer answers, killing it');
      this.doom('watchdog');
    }
  }

  #over(
    incarnation: Incarnation,
    end: { readonly code: number | null; readonly signal: string | null; readonly spawnError: string | null },
  ): void {
    if (incarnation.isOver) return;
    incarnation.isOver = true;
    const { clock, orphans, log } = this.#environment;
    const { process: child, channel, stderr, caps, pulse, wasAsked, memoryBytes } = incarnation;
    clearInterval(pulse);
    if (child.pid !== undefined) orphans.forget(child.pid);
    const { life } = this.#state;
    const stderrTail = stderr.read();
    const verdict = classifyExit({
      ...end,
      wasAsked,
      killedFor: life.tag === 'stopping' ? life.killedFor : null,
      stderrTail,
      lastMemoryBytes: memoryBytes,
      capBytes: caps.capBytes,
    });
    this.#lastExitAt = clock.now();
    this.#incarnation = null;
    channel.close(new WardenError('session_restarted'));
    child.stderr?.destroy();
    const { code, signal } = end;
    if (verdict.kind === 'planned') log.debug({ pid: child.pid, cause: verdict.cause }, 'child ended');
    else
      log.warn({ pid: child.pid, cause: verdict.cause, code, signal, stderr: stderrTail }, 'child ended unexpectedly');
    this.#step({ tag: 'exited', verdict });
    this.#listeners.onGone(verdict);
    for (const resolve of this.#goneWaiters.splice(0)) resolve();
  }
}
