/** What the library may say: warnings and errors by their static text only. Its fields hold keys and message content. */
import type { SocketConfig } from '@whiskeysockets/baileys';

type LibraryLogger = SocketConfig['logger'];

const maxLinesPerMinute = 30;

/** `tell` gets the level and the text; floods are cut off, since a broken session can log thousands of lines. */
export function libraryLogger(tell: (level: 'warn' | 'error', text: string) => void): LibraryLogger {
  let windowStart = performance.now();
  let lines = 0;
  const say = (level: 'warn' | 'error', fields: unknown, text: string | undefined): void => {
    const now = performance.now();
    if (now - windowStart > 60_000) {
      windowStart = now;
      lines = 0;
    }
    if (++lines > maxLinesPerMinute) return;
    tell(level, text ?? (typeof fields === 'string' ? fields : 'no text'));
  };
  const quiet = (): void => undefined;
  const log: LibraryLogger = {
    level: 'warn',
    child: () => log,
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (fields, text) => say('warn', fields, text),
    error: (fields, text) => say('error', fields, text),
  };
  return log;
}
