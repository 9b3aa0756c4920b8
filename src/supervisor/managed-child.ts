/**
 * Drives one child: feeds facts to the process machine and performs the effects it returns. Owns the process, its
 * channel, its timers and its record on disk; knows nothing of sessions.
 */
import type { ChildProcess } from 'node:child_process';
import { Channel, processPort } from '../contract/channel.ts';
import { WardenError } from '../contract/errors.ts';
import { outsideRequests } from '../request-scope.ts';
import { addChildSpan } from '../tracing.ts';
import {
  protocolVersion,
  type ChildNotices,
  type SupervisorNotices,
  type ToChild,
  type ToSupervisor,
} from '../contract/ipc.ts';
import type { ChildChannel, ChildEnvironment, ChildListeners } from './child-environment.ts';
import { ChildMemory } from './child-memory.ts';
import { logEndOfChild, logOfChild } from './child-lines.ts';
import { classifyExit, type KillCause } from './exit-cause.ts';
import type { Incarnation } from './incarnation.ts';
import { judgeMemory } from './memory-policy.ts';
import { lowerPriority, raiseOomScore } from './proc.ts';
import {
  dueAt,
  hasProcess,
  initialProcess,
  stepProcess,
  type ProcessEffect,
  type ProcessFact,
  type ProcessState,
} from './process-machine.ts';
import type { RecycleCause } from './recycle-policy.ts';
import { Recycling, type MemoryWarning } from './recycling.ts';
import { spawnChild } from './spawn.ts';
import type { Slot } from './start-gate.ts';
import { StderrTail } from './stderr-tail.ts';
import { beginWatch, heard, judge, look, restingBeatMs } from './watchdog.ts';

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
  readonly #recycling: Recycling;
  #timer: NodeJS.Timeout | null = null;
  #slot: Slot | null = null;
  #leaveLine: (() => void) | null = null;
  readonly #goneWaiters: (() => void)[] = [];

  constructor(environment: ChildEnvironment, listeners: ChildListeners) {
    this.#environment = environment;
    this.#listeners = listeners;
    this.#recycling = new Recycling(environment.settings.recycle, environment.clock);
  }

  get state(): ProcessState {
    return this.#state;
  }
  get pid(): number | null {
    return this.#incarnation?.process.pid ?? null;
  }
  get memoryBytes(): number | null {
    return this.#incarnation?.memory.bytes ?? null;
  }
  get vitals(): ChildNotices['heartbeat'] | null {
    return this.#incarnation?.vitals ?? null;
  }
  get memoryWarning(): MemoryWarning | null {
    return this.#recycling.warning;
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
  /** Replaces the process by a new one, at a quiet moment; false when that was done so recently that it cannot help. */
  recycle(cause: RecycleCause): boolean {
    return this.#state.life.tag !== 'running' || this.#recycling.want(cause);
  }
  /** The sampled cap takes effect at once; heap and kernel limits of a process stay as they were at its spawn. */
  reviseCaps(): void {
    const incarnation = this.#incarnation;
    if (incarnation === null) return;
    incarnation.caps = this.#listeners.caps();
    this.#listeners.onState();
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
    if (fact.tag === 'ready' && before.life.tag === 'starting' && state.life.tag === 'running')
      this.#listeners.onReady();
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
        outsideRequests(() => this.#spawn());
        return;
      case 'shut_down':
        this.#askToEnd(effect.deadlineMs);
        return;
      case 'recycle':
        this.#incarnation?.channel
          .request('recycle', { deadlineMs: effect.deadlineMs }, { deadlineMs: effect.deadlineMs, urgent: true })
          .catch(() => null);
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

  /** Outside of requests: what the process tells is not told for whoever had it started. */
  #spawn(): void {
    const { childEntry, childFlags, settings, wrappers, orphans, pulse, clock, log } = this.#environment;
    const { heartbeatIntervalMs: intervalMs, heartbeatSuspectMs: suspectMs } = settings;
    const caps = this.#listeners.caps();
    const child = spawnChild({
      entry: childEntry,
      flags: childFlags,
      caps,
      wrappers: wrappers(),
      environment: settings.childEnvironment,
      heartbeatMs: intervalMs,
      restingHeartbeatMs: restingBeatMs({ intervalMs, suspectMs }),
      isTalkative: log.isLevelEnabled('debug'),
      onError: (error) => {
        log.warn({ err: error, pid: child.pid }, 'child process reported an error');
        if (child.pid === undefined) this.#over(incarnation, { code: null, signal: null, spawnError: error.message });
      },
    });
    const incarnation: Incarnation = {
      process: child,
      channel: this.#open(child),
      stderr: new StderrTail(child.stderr),
      caps,
      stopPulse: pulse.add(() => this.#pulse(incarnation)),
      spawnedAt: clock.monotonic(),
      memory: new ChildMemory({ clock, isCapped: wrappers().prlimit !== null }),
      wasAsked: false,
      vitals: null,
      vitalsAt: 0,
      watch: beginWatch(clock.monotonic()),
      isOver: false,
    };
    this.#incarnation = incarnation;
    this.#recycling.begin();
    if (child.pid !== undefined) {
      orphans.note(child.pid);
      raiseOomScore(child.pid);
      lowerPriority(child.pid);
    }
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
        log: (line) => logOfChild(this.#environment.log, child.pid, line),
        span: addChildSpan,
        heartbeat: (heartbeat) => this.#heard(child, heartbeat),
      },
      window: channelWindow,
      overflow: 'reject',
      onRefused: () => this.#environment.observer?.ipcRefused(),
      deadlineMs: requestDeadlineMs,
      timeoutCode: 'session_busy',
    });
  }

  #heard(child: ChildProcess, vitals: ChildNotices['heartbeat']): void {
    const incarnation = this.#incarnation;
    if (incarnation?.process !== child) return;
    const wasSilent = this.silentMs !== null;
    incarnation.watch = heard(this.#environment.clock.monotonic());
    incarnation.vitals = vitals;
    incarnation.vitalsAt = incarnation.watch.lookedAt;
    if (wasSilent) this.#listeners.onState();
    this.#listeners.onHeartbeat(vitals);
  }

  #askToEnd(deadlineMs: number): void {
    const incarnation = this.#incarnation;
    if (incarnation === null) return;
    incarnation.wasAsked = true;
    // Whether it obeys is seen by its exit; a child that does not is killed at the deadline.
    incarnation.channel.request('shutdown', { deadlineMs }, { deadlineMs, urgent: true }).catch(() => null);
  }

  #pulse(incarnation: Incarnation): void {
    const { pid } = incarnation.process;
    const { clock, log, pulse } = this.#environment;
    incarnation.watch = look(incarnation.watch, clock.monotonic(), pulse.tickMs);
    // The memory of a process that is ending tells nothing, and its deadline is set.
    const isEnding = this.#state.life.tag === 'stopping';
    if (!isEnding && this.#weigh(incarnation) === 'kill') {
      log.warn({ pid, memory_bytes: incarnation.memory.bytes }, 'child is over its memory cap, killing it');
      this.#recycling.happens();
      this.doom('memory');
      return;
    }
    if (this.#state.life.tag !== 'running') return;
    this.#recycleAtQuietMoment(incarnation);
    const liveliness = judge(incarnation.watch, this.#watchLimits);
    if (liveliness === 'suspect') this.#listeners.onState();
    if (liveliness === 'dead') {
      log.warn({ pid, silent_ms: incarnation.watch.silentMs }, 'child no longer answers, killing it');
      this.doom('watchdog');
    }
  }

  #weigh(incarnation: Incarnation): 'fine' | 'recycle' | 'kill' {
    const { pid } = incarnation.process;
    const { settings, log } = this.#environment;
    const { memory, vitals, caps } = incarnation;
    const { softRatio } = settings.recycle;
    const bytes = pid === undefined ? null : memory.look({ pid, vitals, softBytes: caps.capBytes * softRatio });
    if (bytes === null) return 'fine';
    const judgement = judgeMemory(bytes, caps, softRatio);
    const isLoop = judgement === 'recycle' && !this.recycle('memory');
    if (this.#recycling.warn(isLoop ? { growth: memory.growth, memoryBytes: bytes } : null)) {
      if (isLoop) log.warn({ pid, memory_bytes: bytes }, 'child grows again after its recycling');
      this.#listeners.onState();
    }
    return judgement;
  }

  #recycleAtQuietMoment({ channel, process: child, memory, vitalsAt }: Incarnation): void {
    const cause = this.#recycling.due({ inFlight: channel.inFlight, toldAt: vitalsAt });
    if (cause === null) return;
    const { log } = this.#environment;
    log.warn({ pid: child.pid, cause, memory_bytes: memory.bytes }, 'child is replaced by a new process');
    this.#recycling.happens();
    this.#step({ tag: 'recycle_wanted', cause });
  }

  #over(
    incarnation: Incarnation,
    end: { readonly code: number | null; readonly signal: string | null; readonly spawnError: string | null },
  ): void {
    if (incarnation.isOver) return;
    incarnation.isOver = true;
    const { clock, orphans, log } = this.#environment;
    const { process: child, channel, stderr, caps, stopPulse, wasAsked, memory, spawnedAt } = incarnation;
    stopPulse();
    if (child.pid !== undefined) orphans.forget(child.pid);
    const { life } = this.#state;
    const stderrTail = stderr.read();
    const verdict = classifyExit({
      ...end,
      wasAsked,
      killedFor: life.tag === 'stopping' ? life.killedFor : null,
      recycledFor: life.tag === 'stopping' ? life.recycledFor : null,
      stderrTail,
      // A process that is ending has no memory any more: the last sample counts.
      lastMemoryBytes: memory.samples.at(-1)?.privateBytes ?? null,
      capBytes: caps.capBytes,
    });
    this.#lastExitAt = clock.now();
    this.#incarnation = null;
    channel.close(new WardenError('session_restarted'));
    child.stderr?.destroy();
    const { code, signal } = end;
    logEndOfChild(log, child.pid, { verdict, code, signal, stderrTail });
    this.#step({ tag: 'exited', verdict });
    this.#environment.observer?.childEnded(verdict.cause);
    this.#listeners.onGone({
      // The policy may have found that this was once too often.
      verdict: this.#state.lastExit ?? verdict,
      pid: child.pid ?? null,
      at: clock.now(),
      code,
      signal,
      uptimeMs: Math.round(clock.monotonic() - spawnedAt),
      capBytes: caps.capBytes,
      memory: memory.samples,
      growth: memory.growth,
      stderrTail,
    });
    for (const resolve of this.#goneWaiters.splice(0)) resolve();
  }
}
