/**
 * What the library may say: by its static text only, since its fields hold keys and message content, and one level lower
 * than it thinks, since what matters of it is told by the link.
 */
import type { SocketConfig } from '@whiskeysockets/baileys';

type LibraryLogger = SocketConfig['logger'];

const maxLinesPerMinute = 30;
/** The ends of connections; WhatsApp orders one after every pairing. */
const toldByTheLink = new Set(['stream errored out', 'error in validating connection']);

/** `tell` gets the level and the text; floods are cut off, since a broken session can log thousands of lines. */
export function libraryLogger(tell: (level: 'debug' | 'warn', text: string) => void): LibraryLogger {
  let windowStart = performance.now();
  let lines = 0;
  const say = (level: 'debug' | 'warn', fields: unknown, text: string | undefined): void => {
    const now = performance.now();
    if (now - windowStart > 60_000) {
      windowStart = now;
      lines = 0;
    }
    const line = text ?? (typeof fields === 'string' ? fields : 'no text');
    if (toldByTheLink.has(line) || ++lines > maxLinesPerMinute) return;
    tell(level, line);
  };
  const quiet = (): void => undefined;
  const log: LibraryLogger = {
    level: 'warn',
    child: () => log,
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (fields, text) => say('debug', fields, text),
    error: (fields, text) => say('warn', fields, text),
  };
  return log;
}
