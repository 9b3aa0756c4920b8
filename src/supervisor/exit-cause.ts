/** Why a child ended, told from what was seen of it: one table. Pure. */
import { assertNever } from '../contract/assert-never.ts';
import { exitCode } from '../contract/ipc.ts';
import type { RecycleCause } from './recycle-policy.ts';

/** Why the supervisor killed a child; recorded before the signal is sent. */
export type KillCause =
  | 'stop_timeout'
  | 'start_timeout'
  | 'watchdog'
  | 'memory'
  | 'deaf'
  | 'protocol_mismatch'
  | 'restart';

export type ExitCause =
  | 'stopped'
  | 'clean_unexpected'
  | 'memory'
  | 'deaf'
  | 'heap_oom'
  | 'stop_timeout'
  | 'start_timeout'
  | 'watchdog'
  | 'restart'
  | 'kernel_oom'
  | 'external_kill'
  | 'bug'
  | 'protocol_mismatch'
  | 'bad_config'
  | 'fenced'
  | 'orphaned'
  | 'spawn_failed'
  | 'unknown';

/**
 * - planned: as asked.
 * - crash: back-off, and counted.
 * - recycled: replaced on purpose; back soon, counted apart.
 * - blocked: not again until somebody changes something.
 */
export type ExitKind = 'planned' | 'crash' | 'recycled' | 'blocked';

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: string | null;
  /** The child could not be spawned at all. */
  readonly spawnError: string | null;
  /** Whether the supervisor had asked it to shut down. */
  readonly wasAsked: boolean;
  readonly killedFor: KillCause | null;
  /** Why the supervisor had asked it to make room for a new process. */
  readonly recycledFor: RecycleCause | null;
  readonly stderrTail: string;
  readonly lastMemoryBytes: number | null;
  readonly capBytes: number;
}

export interface ExitVerdict {
  readonly cause: ExitCause;
  readonly kind: ExitKind;
  /** For people: what happened and what to do about it. */
  readonly detail: string;
}

/** Node's code for a top-level await that never settles. */
const unsettledAwait = 13;
const nearCap = 0.9;
const ranOutOfHeap = /heap out of memory|Fatal process out of memory|Allocation failed/;
/** What a process says when the kernel refuses it memory outside of its heap. */
const ranOutOfMemory = /Array buffer allocation failed|std::bad_alloc|\bENOMEM\b|Cannot allocate memory/;

export function classifyExit(facts: ExitFacts): ExitVerdict {
  if (facts.spawnError !== null) {
    return crash('spawn_failed', `The process could not be started: ${facts.spawnError}.`);
  }
  if (facts.killedFor !== null) return killed(facts.killedFor);
  if (facts.signal !== null) return signalled(facts, facts.signal);
  switch (facts.code) {
    case exitCode.ok:
      return facts.wasAsked
        ? { cause: 'stopped', kind: 'planned', detail: 'Stopped as asked.' }
        : crash('clean_unexpected', 'The process ended by itself without having been asked.');
    case exitCode.recycled:
      return facts.recycledFor === 'deaf' ? deafExit : memoryExit;
    case exitCode.protocolMismatch:
      return mismatch;
    case exitCode.badConfig:
      return blocked('bad_config', 'The process refused its configuration; see the log, then connect again.');
    case exitCode.fenced:
      return blocked(
        'fenced',
        'Another process took the session over; make sure that only one gateway uses this database, then connect again.',
      );
    case exitCode.orphaned:
      return crash('orphaned', 'The process lost its supervisor.');
    case 1:
    case unsettledAwait:
    case exitCode.uncaughtException:
    case exitCode.unhandledRejection:
      if (ranOutOfMemory.test(facts.stderrTail)) return crash('memory', outgrown);
      return crash('bug', withStderr(`The process ended with an error (code ${facts.code})`, facts));
    default:
      return crash('unknown', withStderr(`The process ended with code ${facts.code ?? 'unknown'}`, facts));
  }
}

function killed(cause: KillCause): ExitVerdict {
  switch (cause) {
    case 'stop_timeout':
      return { cause, kind: 'planned', detail: 'The process did not stop in time and was killed.' };
    case 'restart':
      return { cause, kind: 'planned', detail: 'The process did not answer and was killed to be restarted, as asked.' };
    case 'start_timeout':
      return crash(cause, 'The process did not become ready in time and was killed.');
    case 'watchdog':
      return crash(cause, 'The process no longer answered and was killed.');
    case 'memory':
      return memoryExit;
    case 'deaf':
      return deafExit;
    case 'protocol_mismatch':
      return mismatch;
    default:
      return assertNever(cause);
  }
}

function signalled(facts: ExitFacts, signal: string): ExitVerdict {
  if (ranOutOfHeap.test(facts.stderrTail)) {
    return crash('heap_oom', 'The process used up its heap; raise SESSION_MEMORY_MB or the memory cap of the session.');
  }
  if (signal !== 'SIGKILL' && ranOutOfMemory.test(facts.stderrTail)) return crash('memory', outgrown);
  if (signal !== 'SIGKILL') return crash('unknown', withStderr(`The process was ended by ${signal}`, facts));
  return facts.lastMemoryBytes !== null && facts.lastMemoryBytes > facts.capBytes * nearCap
    ? crash('kernel_oom', 'The process was killed, most likely by the kernel for want of memory.')
    : crash('external_kill', 'Something outside the gateway killed the process.');
}

const outgrown =
  'The process outgrew its memory cap and was ended; raise SESSION_MEMORY_MB or the memory cap of the session if it happens often.';
const memoryExit: ExitVerdict = { cause: 'memory', kind: 'recycled', detail: outgrown };
const deafExit: ExitVerdict = {
  cause: 'deaf',
  kind: 'recycled',
  detail: 'The connection looked well but delivered nothing and did not answer; it was replaced.',
};
const mismatch: ExitVerdict = {
  cause: 'protocol_mismatch',
  kind: 'blocked',
  detail:
    'The process speaks another version of the protocol: the gateway was updated while it ran; restart the gateway.',
};

const crash = (cause: ExitCause, detail: string): ExitVerdict => ({ cause, kind: 'crash', detail });
const blocked = (cause: ExitCause, detail: string): ExitVerdict => ({ cause, kind: 'blocked', detail });

/** The line that names the error: the rest of the tail is in the log. */
function withStderr(sentence: string, facts: ExitFacts): string {
  const line = /^\s*(\w*(?:Error|Exception)\b.*)$/m.exec(facts.stderrTail)?.[1];
  return line === undefined ? `${sentence}.` : `${sentence}: ${line.slice(0, 200).replace(/\.?$/, '.')}`;
}
