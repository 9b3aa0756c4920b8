/** Lines of children in our log: marked as theirs, and masked, since libraries write some of them. */
import type { ChildNotices } from '../contract/ipc.ts';
import { maskFields, maskNumbers } from '../log-redaction.ts';
import type { Logger } from '../log.ts';

export function logOfChild(
  log: Logger,
  pid: number | undefined,
  { level, message, fields }: ChildNotices['log'],
): void {
  log[level]({ ...maskFields(fields), pid, process: 'child' }, maskNumbers(message));
}
