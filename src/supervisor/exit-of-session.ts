/** The restart record of one session, from what is known of its process. Pure. */
import type { ChildExit } from '../store/store.ts';
import type { Accusation } from './culprit.ts';
import type { ExitReport } from './exit-report.ts';
import type { Life } from './process-machine.ts';

export interface ExitOutcome {
  /** What the process machine made of it. */
  readonly life: Life;
  readonly delayMs: number | null;
  readonly accusation: Accusation | null;
  readonly isMoved: boolean;
}

export function exitOfSession(report: ExitReport, { life, delayMs, accusation, isMoved }: ExitOutcome): ChildExit {
  const { verdict, at, pid, code, signal, uptimeMs, capBytes, memory, growth, stderrTail } = report;
  return {
    at,
    cause: verdict.cause,
    detail: verdict.detail,
    pid,
    code,
    signal,
    uptimeMs,
    memoryCapBytes: capBytes,
    memory,
    growth,
    stderr: stderrTail,
    action: isMoved ? 'restarted' : actionOf(life),
    delayMs: isMoved || delayMs === null ? null : Math.round(delayMs),
    culprits: accusation,
    movedToOwnChild: isMoved,
  };
}

function actionOf({ tag }: Life): ChildExit['action'] {
  switch (tag) {
    case 'crash_loop':
      return 'retried_slowly';
    case 'blocked':
      return 'given_up';
    case 'stopped':
      return 'stopped';
    default:
      return 'restarted';
  }
}
