/**
 * The life of a child on one page. Pure: a step takes what is so and what happened, and answers what is so now and what
 * is to be done about it.
 *
 * stopped → starting when wanted: first queued for a place at the start gate, then booting as a real process, which must
 * become ready in time. running lasts until the process ends. stopping is a process that was asked to end (and is killed
 * at its deadline) or was killed already, or one that makes room for its successor; `next` says what follows its exit. An exit nobody asked for is judged: most
 * lead to backoff, too many of them to crash_loop (which still retries), a few to blocked, which a person must leave.
 * Wherever time matters the state itself holds the instant at which it is due.
 */
import { assertNever } from '../contract/assert-never.ts';
import type { ExitVerdict, KillCause } from './exit-cause.ts';
import { afterCrash, afterRecycle, noFailures, type FailureRecord } from './restart-policy.ts';
import type { RecycleCause } from './recycle-policy.ts';
import type { RestartPolicy } from './settings.ts';

/** Times are monotonic milliseconds. */
export type Life =
  | { readonly tag: 'stopped' }
  | { readonly tag: 'starting'; readonly phase: 'queued' }
  | { readonly tag: 'starting'; readonly phase: 'booting'; readonly dueAt: number }
  | { readonly tag: 'running'; readonly since: number; readonly wasUseful: boolean }
  | {
      readonly tag: 'stopping';
      readonly next: 'stop' | 'start' | 'judge';
      readonly killedFor: KillCause | null;
      /** It works, and is to finish what it does before a new process takes its place. */
      readonly recycledFor: RecycleCause | null;
      /** When it is killed; null once it was. */
      readonly dueAt: number | null;
    }
  | { readonly tag: 'backoff'; readonly dueAt: number }
  | { readonly tag: 'crash_loop'; readonly dueAt: number }
  | { readonly tag: 'blocked' };

export interface ProcessState {
  readonly life: Life;
  readonly failures: FailureRecord;
  /** Starts that followed an exit. */
  readonly restarts: number;
  readonly lastExit: ExitVerdict | null;
  /** Its crash loop is not over: it was started once more, and has not been of use yet. */
  readonly isLooping: boolean;
}

export type ProcessFact =
  | { readonly tag: 'start_wanted' }
  | { readonly tag: 'stop_wanted' }
  /** `isHung`: waiting for a clean end makes no sense. */
  | { readonly tag: 'restart_wanted'; readonly isHung: boolean }
  | { readonly tag: 'slot_granted' }
  | { readonly tag: 'ready' }
  /** A link opened, or waits for a person to pair it. */
  | { readonly tag: 'useful' }
  /** The process works and is to be replaced. */
  | { readonly tag: 'recycle_wanted'; readonly cause: RecycleCause }
  /** The process must not go on. */
  | { readonly tag: 'doomed'; readonly cause: KillCause }
  | { readonly tag: 'due' }
  | { readonly tag: 'exited'; readonly verdict: ExitVerdict };

export type ProcessEffect =
  | { readonly tag: 'await_slot' }
  | { readonly tag: 'spawn' }
  | { readonly tag: 'shut_down'; readonly deadlineMs: number }
  | { readonly tag: 'recycle'; readonly deadlineMs: number }
  | { readonly tag: 'kill' };

export interface ProcessStep {
  readonly state: ProcessState;
  readonly effects: readonly ProcessEffect[];
}

export interface ProcessPolicy {
  readonly readyTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly recycle: { readonly timeoutMs: number };
  readonly restart: RestartPolicy;
}

interface Context {
  readonly policy: ProcessPolicy;
  /** Monotonic milliseconds. */
  readonly now: number;
  /** From 0 to below 1. */
  readonly random: number;
}

export const initialProcess: ProcessState = {
  life: { tag: 'stopped' },
  failures: noFailures,
  restarts: 0,
  lastExit: null,
  isLooping: false,
};

/** Whether there is a process of the operating system in this state. */
export function hasProcess(life: Life): boolean {
  return life.tag === 'running' || life.tag === 'stopping' || (life.tag === 'starting' && life.phase === 'booting');
}

/** The instant at which the state wants to be told that it is due; null for none. */
export function dueAt(life: Life): number | null {
  return 'dueAt' in life ? life.dueAt : null;
}

export function stepProcess(state: ProcessState, fact: ProcessFact, context: Context): ProcessStep {
  const { life } = state;
  switch (fact.tag) {
    case 'start_wanted':
      return wantStart(state);
    case 'stop_wanted':
      return hasProcess(life) ? end(state, 'stop', context) : stay({ ...state, life: { tag: 'stopped' } });
    case 'restart_wanted':
      if (!hasProcess(life)) return wantStart(state);
      return fact.isHung ? kill(begun(state), 'restart', 'start') : end(begun(state), 'start', context);
    case 'slot_granted':
      return life.tag === 'starting' && life.phase === 'queued'
        ? {
            state: {
              ...state,
              life: { tag: 'starting', phase: 'booting', dueAt: context.now + context.policy.readyTimeoutMs },
            },
            effects: [{ tag: 'spawn' }],
          }
        : stay(state);
    case 'ready':
      return life.tag === 'starting' && life.phase === 'booting'
        ? stay({ ...state, life: { tag: 'running', since: context.now, wasUseful: false } })
        : stay(state);
    case 'useful':
      return life.tag === 'running'
        ? stay({ ...state, isLooping: false, life: { ...life, wasUseful: true } })
        : stay(state);
    case 'recycle_wanted':
      return life.tag === 'running' ? recycle(state, fact.cause, context) : stay(state);
    case 'doomed':
      if (!hasProcess(life)) return stay(state);
      return kill(forgive(state, context), fact.cause, life.tag === 'stopping' ? life.next : 'judge');
    case 'due':
      return due(state, context);
    case 'exited':
      return hasProcess(life) ? exited(state, fact.verdict, context) : stay(state);
    default:
      return assertNever(fact);
  }
}

/** What was is forgotten. */
const begun = (state: ProcessState): ProcessState => ({ ...state, failures: noFailures, isLooping: false });

/** Somebody asks: delays begin anew. */
function wantStart(state: ProcessState): ProcessStep {
  const { life } = state;
  switch (life.tag) {
    case 'starting':
    case 'running':
      return stay(state);
    case 'stopping':
      return stay({ ...begun(state), life: { ...life, next: 'start' } });
    case 'stopped':
    case 'backoff':
    case 'crash_loop':
    case 'blocked':
      return queue(begun(state));
    default:
      return assertNever(life);
  }
}

function due(state: ProcessState, context: Context): ProcessStep {
  const { life } = state;
  const at = dueAt(life);
  if (at === null || at > context.now) return stay(state);
  switch (life.tag) {
    case 'starting':
      return kill(state, 'start_timeout', 'judge');
    case 'stopping':
      return kill(state, life.recycledFor ?? 'stop_timeout', life.next);
    case 'backoff':
    case 'crash_loop':
      return queue({ ...state, restarts: state.restarts + 1 });
    default:
      return stay(state);
  }
}

function exited(before: ProcessState, verdict: ExitVerdict, context: Context): ProcessStep {
  const state = { ...forgive(before, context), lastExit: verdict };
  const next = state.life.tag === 'stopping' ? state.life.next : 'judge';
  if (next === 'start') return queue({ ...state, restarts: state.restarts + 1 });
  if (next === 'stop' || verdict.kind === 'planned') return stay({ ...state, life: { tag: 'stopped' } });
  if (verdict.kind === 'blocked') return stay({ ...state, life: { tag: 'blocked' } });
  const decide = verdict.kind === 'recycled' ? afterRecycle : afterCrash;
  const { record, delayMs, isCrashLoop, isOver } = decide(state.failures, context.policy.restart, context);
  if (isOver) return stay({ ...state, failures: record, life: { tag: 'blocked' }, lastExit: givenUp(verdict, record) });
  const life = { tag: isCrashLoop ? 'crash_loop' : 'backoff', dueAt: context.now + delayMs } as const;
  return stay({ ...state, failures: record, life, isLooping: isCrashLoop });
}

function givenUp(verdict: ExitVerdict, { failures }: FailureRecord): ExitVerdict {
  const detail = `${verdict.detail} It has ended ${failures} times in a row, more than RESTART_LIMIT allows; call connect.`;
  return { ...verdict, kind: 'blocked', detail };
}

/** A long run that was of use forgets the failures before it. */
function forgive(state: ProcessState, context: Context): ProcessState {
  const { life } = state;
  const isGood = life.tag === 'running' && life.wasUseful && context.now - life.since >= context.policy.restart.resetMs;
  return isGood ? { ...state, failures: noFailures } : state;
}

function queue(state: ProcessState): ProcessStep {
  return { state: { ...state, life: { tag: 'starting', phase: 'queued' } }, effects: [{ tag: 'await_slot' }] };
}

/** Asks the process to end; one that is ending already only learns what follows. */
function end(state: ProcessState, next: 'stop' | 'start', context: Context): ProcessStep {
  const { life } = state;
  if (life.tag === 'stopping') return stay({ ...state, life: { ...life, next } });
  const deadlineMs = context.policy.stopTimeoutMs;
  return {
    state: {
      ...state,
      life: { tag: 'stopping', next, killedFor: null, recycledFor: null, dueAt: context.now + deadlineMs },
    },
    effects: [{ tag: 'shut_down', deadlineMs }],
  };
}

/** Its exit is judged like any other: it is back soon, unless it happens too often. */
function recycle(state: ProcessState, cause: RecycleCause, context: Context): ProcessStep {
  const deadlineMs = context.policy.recycle.timeoutMs;
  const dueAt = context.now + deadlineMs;
  return {
    state: {
      ...forgive(state, context),
      life: { tag: 'stopping', next: 'judge', killedFor: null, recycledFor: cause, dueAt },
    },
    effects: [{ tag: 'recycle', deadlineMs }],
  };
}

/** The first cause stands: it is what the record will tell. */
function kill(state: ProcessState, cause: KillCause, next: 'stop' | 'start' | 'judge'): ProcessStep {
  const { life } = state;
  const wasKilledFor = life.tag === 'stopping' ? life.killedFor : null;
  const recycledFor = life.tag === 'stopping' ? life.recycledFor : null;
  return {
    state: { ...state, life: { tag: 'stopping', next, killedFor: wasKilledFor ?? cause, recycledFor, dueAt: null } },
    effects: wasKilledFor === null ? [{ tag: 'kill' }] : [],
  };
}

const stay = (state: ProcessState): ProcessStep => ({ state, effects: [] });
