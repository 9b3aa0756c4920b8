/** Pure: the kinds of value that a variable can have, and how each is read from text. */
import { isIP } from 'node:net';
import { parseTrustedProxies, type TrustedProxies } from './api/auth/trusted-proxies.ts';

/** One line of the configuration table. */
export interface Variable<Value> {
  readonly name: string;
  /** Other names under which it is accepted; the main one wins. */
  readonly aliases: readonly string[];
  readonly type: string;
  /** As a user would write it; null when there is none. */
  readonly fallback: string | null;
  readonly sentence: string;
  /** Never shown, and can be given as a file: `<NAME>_FILE`. */
  readonly isSecret: boolean;
  /** Throws a ValueProblem. */
  parse(text: string): Value;
}

/** What is wrong with a value, as the end of a sentence: "must be …". */
export class ValueProblem extends Error {
  override readonly name = 'ValueProblem';
}

interface Declaration<Value> {
  readonly name: string;
  readonly sentence: string;
  readonly fallback?: string;
  readonly aliases?: readonly string[];
  readonly isSecret?: boolean;
  /** Raises ValueProblem when a value that can be read is not acceptable. */
  readonly check?: (value: Value) => void;
}

/** Any other kind of value; `read` throws a ValueProblem. */
export function variable<Value>(
  type: string,
  declaration: Declaration<Value>,
  read: (text: string) => Value,
): Variable<Value> {
  return {
    name: declaration.name,
    aliases: declaration.aliases ?? [],
    type,
    fallback: declaration.fallback ?? null,
    sentence: declaration.sentence,
    isSecret: declaration.isSecret ?? false,
    parse: (text) => {
      const value = read(text);
      declaration.check?.(value);
      return value;
    },
  };
}

export const text = (declaration: Declaration<string>): Variable<string> =>
  variable('text', declaration, (given) => given);

export function integer(
  declaration: Declaration<number> & { readonly min: number; readonly max: number; readonly unit?: string },
): Variable<number> {
  const { min, max, unit } = declaration;
  return variable(unit ?? 'integer', declaration, (given) => {
    const value = /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new ValueProblem(`must be a whole number from ${min} to ${max}`);
  });
}

/** A span of time in milliseconds. */
export function durationMs(
  declaration: Declaration<number> & { readonly min?: number; readonly max?: number },
): Variable<number> {
  return integer({ min: 1, max: 86_400_000, unit: 'milliseconds', ...declaration });
}

export function decimal(declaration: Declaration<number>): Variable<number> {
  return variable('number', declaration, (given) => {
    const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
    if (value > 0 && value <= 1_000_000) return value;
    throw new ValueProblem('must be a number above 0');
  });
}

export function flag(declaration: Declaration<boolean>): Variable<boolean> {
  return variable('true or false', declaration, (given) => {
    if (/^(true|1|yes|on)$/i.test(given)) return true;
    if (/^(false|0|no|off)$/i.test(given)) return false;
    throw new ValueProblem('must be true or false');
  });
}

/** One of a few words. */
export function choice<Word extends string>(
  declaration: Declaration<Word> & { readonly words: readonly Word[] },
): Variable<Word> {
  const { words } = declaration;
  return variable(words.join(', '), declaration, (given) => {
    const word = words.find((each) => each === given.toLowerCase());
    if (word !== undefined) return word;
    throw new ValueProblem(`must be one of ${words.join(', ')}`);
  });
}

/** A URL of one of the protocols given, without a slash at its end. */
export function url(declaration: Declaration<string> & { readonly protocols: readonly string[] }): Variable<string> {
  const { protocols } = declaration;
  return variable('URL', declaration, (given) => {
    const parsed = URL.parse(given);
    if (parsed !== null && protocols.includes(parsed.protocol.slice(0, -1))) return given.replace(/\/+$/, '');
    throw new ValueProblem(`must be a URL that begins with ${protocols.map((name) => `${name}://`).join(' or ')}`);
  });
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
const levels: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'error',
  silent: 'silent',
  off: 'silent',
};

/** A level, or the filters of a RUST_LOG: that of the gateway, else the general one, else the first. */
export function logLevel(declaration: Declaration<LogLevel>): Variable<LogLevel> {
  return variable('trace, debug, info, warn, error, silent', declaration, (given) => {
    const filters = given.split(',').map((filter) => {
      const [target, level] = filter.includes('=') ? filter.split('=', 2) : ['', filter];
      return { target: target?.trim() ?? '', level: levels[level?.trim().toLowerCase() ?? ''] };
    });
    const chosen =
      filters.find(({ target }) => /^(warden|wagateway|wa_rs)\b/.test(target)) ??
      filters.find(({ target }) => target === '') ??
      filters[0];
    if (chosen?.level !== undefined) return chosen.level;
    throw new ValueProblem('must be one of trace, debug, info, warn, error, silent');
  });
}

/** A WhatsApp Web version such as 2.3000.1043857760. */
export function version(
  declaration: Declaration<readonly [number, number, number]>,
): Variable<readonly [number, number, number]> {
  return variable('version', declaration, (given) => {
    const [, major, minor, patch] = /^(\d{1,9})\.(\d{1,9})\.(\d{1,15})$/.exec(given) ?? [];
    if (patch !== undefined) return [Number(major), Number(minor), Number(patch)];
    throw new ValueProblem('must be three numbers, such as 2.3000.1043857760');
  });
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A list of spans of time such as `0s, 5s, 2m, 1h`, in milliseconds. */
export function schedule(declaration: Declaration<readonly number[]>): Variable<readonly number[]> {
  return variable('list of durations', declaration, (given) =>
    given.split(',').map((part) => {
      const [, amount, unit = 's'] = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(part.trim()) ?? [];
      const factor = unitMs[unit];
      if (amount !== undefined && factor !== undefined) return Number(amount) * factor;
      throw new ValueProblem('must be durations with commas between them, such as 0s,5s,2m,1h');
    }),
  );
}

/** Networks in CIDR notation. */
export function networks(declaration: Declaration<readonly string[]>): Variable<readonly string[]> {
  return variable('list of networks', declaration, (given) =>
    given
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => {
        const [address = '', prefix = '', ...rest] = part.split('/');
        const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
        if (rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits) return part;
        throw new ValueProblem('must be networks with commas between them, such as 10.0.0.0/8,fd00::/8');
      }),
  );
}

/** Names as they stand in a Host header, in lower case and without a port. */
export function hostNames(declaration: Declaration<readonly string[]>): Variable<readonly string[]> {
  return variable('list of names', declaration, (given) => {
    const names = given
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .filter((part) => part !== '');
    if (names.every((name) => /^[a-z0-9._-]{1,253}$/.test(name))) return names;
    throw new ValueProblem('must be host names with commas between them, without a port, such as warden,gateway.local');
  });
}

/** A number of proxies, or their addresses and networks. */
export function trustedProxies(declaration: Declaration<TrustedProxies>): Variable<TrustedProxies> {
  return variable('number or list of networks', declaration, (given) => {
    const proxies = parseTrustedProxies(given);
    if (proxies !== null) return proxies;
    throw new ValueProblem(
      'must be a number of proxies, or their addresses and networks, such as 127.0.0.1,10.0.0.0/8',
    );
  });
}
