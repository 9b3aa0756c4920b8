/**
 * Pure. An error as it may stand in a log: by an allow-list. Errors of the database driver carry the statement and its
 * values, those of HTTP clients whole requests, and whatever is enumerable on an error would be written down otherwise.
 */

import { maskNumbers } from './log-redaction.ts';

export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

const deepestCause = 4;
const longestText = 4000;

/** What is thrown need not be an error; anything else is told by its type alone. */
export function loggedError(thrown: unknown, depth = 0): LoggedError {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: 'something that is no error was thrown' };
  const code: unknown = 'code' in thrown ? thrown.code : undefined;
  const cause: unknown = thrown.cause;
  return {
    type: thrown.name,
    message: shortened(maskNumbers(withoutValues(thrown.message))),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(thrown.stack === undefined ? {} : { stack: framesOf(thrown.stack) }),
    ...(cause === undefined || cause === null || depth === deepestCause
      ? {}
      : { cause: loggedError(cause, depth + 1) }),
  };
}

/** Where it was, without the message that begins a stack. */
const framesOf = (stack: string): string =>
  shortened(
    stack
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .join('\n'),
  );

/** The database and parsers quote what they could not take. */
const withoutValues = (message: string): string =>
  message.replace(/"[^"]{25,}"/gs, '"…"').replace(/(is not valid JSON).*|^(Unexpected token ).*/s, '$1$2');

const shortened = (text: string): string => (text.length > longestText ? `${text.slice(0, longestText)}…` : text);
