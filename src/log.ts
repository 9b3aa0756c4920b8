/** Named loggers and the redaction list. Messages are static and lower-case; what varies is a field. */
import { pino, type Logger } from 'pino';

const root = pino({
  level: 'info',
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  redact: {
    paths: [
      '*.authorization',
      '*.cookie',
      '*.secret',
      '*.token',
      '*.password',
      '*["x-api-key"]',
      'authorization',
      'cookie',
      'secret',
      'token',
      'password',
    ],
    censor: '[redacted]',
  },
});

const children = new Set<Logger>();

export type { Logger };

/** A logger of one part of the gateway; every line carries its name. */
export function logger(name: string): Logger {
  const child = root.child({ name });
  children.add(child);
  return child;
}

/** Sets the level of all loggers, also of those that exist already. */
export function setLogLevel(level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'): void {
  root.level = level;
  for (const child of children) child.level = level;
}

/** A JID or phone number as it may stand in a log: its last four digits. */
export function maskJid(jid: string): string {
  const at = jid.indexOf('@');
  const user = at === -1 ? jid : jid.slice(0, at);
  return `…${user.slice(-4)}${at === -1 ? '' : jid.slice(at)}`;
}
