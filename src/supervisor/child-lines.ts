/** Lines about children in our log. */
import type { ChildNotices } from '../contract/ipc.ts';
import { maskFields, maskNumbers } from '../log-redaction.ts';
import type { Logger } from '../log.ts';
import type { ExitVerdict } from './exit-cause.ts';

/** What a child tells: marked as its own, and masked, since libraries write some of it. */
export function logOfChild(
  log: Logger,
  pid: number | undefined,
  { level, message, fields }: ChildNotices['log'],
): void {
  log[level]({ ...maskFields(fields), pid, process: 'child' }, maskNumbers(message));
}

export function logEndOfChild(
  log: Logger,
  pid: number | undefined,
  end: {
    readonly verdict: ExitVerdict;
    readonly code: number | null;
    readonly signal: string | null;
    /** Redacted. */
    readonly stderrTail: string;
  },
): void {
  const { code, signal, stderrTail: stderr } = end;
  const { kind, cause } = end.verdict;
  if (kind === 'planned') log.debug({ pid, cause }, 'child ended');
  else log.warn({ pid, cause, code, signal, stderr }, 'child ended unexpectedly');
}
