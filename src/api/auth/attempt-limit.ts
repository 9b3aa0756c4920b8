/**
 * Slows guessing down: how often an address may come with a wrong token before it has to wait. Whoever came from there
 * with a token that works goes on with it meanwhile, so that nobody is locked out by a neighbour, or by others behind the
 * same proxy. Pure but for its own memory.
 */
import { hash } from 'node:crypto';
import { WardenError } from '../../contract/errors.ts';
import { holderOfAddress } from './allowed-address.ts';

export interface Attempt {
  readonly address: string;
  readonly token: string;
}

export interface AttemptLimit {
  /** Milliseconds that this address has to wait before its next attempt; null when it may go on. */
  waitMs(attempt: Attempt, now: number): number | null;
  failed(address: string, now: number): void;
  /** The token works: it is known for an hour from this address. */
  succeeded(attempt: Attempt, now: number): void;
}

const windowMs = 60_000;
const knownMs = 3_600_000;
/** Beyond so many addresses, or tokens, the oldest are forgotten: memory stays bounded under a flood. */
const mostAddresses = 10_000;
const mostKnown = 10_000;

/** `mostFailures` in a minute; 0 sets no limit. Times are of a clock that does not jump. */
export function createAttemptLimit(mostFailures: number): AttemptLimit {
  const failures = new Map<string, readonly number[]>();
  const known = new Map<string, number>();
  const recent = (holder: string, now: number): readonly number[] =>
    (failures.get(holder) ?? []).filter((at) => now - at < windowMs);
  const isKnown = (attempt: Attempt, now: number): boolean => now - (known.get(keyOf(attempt)) ?? -knownMs) < knownMs;
  return {
    waitMs: (attempt, now) => {
      if (mostFailures === 0) return null;
      const [oldest, ...others] = recent(holderOfAddress(attempt.address), now).slice(-mostFailures);
      if (oldest === undefined || others.length < mostFailures - 1 || isKnown(attempt, now)) return null;
      return oldest + windowMs - now;
    },
    failed: (address, now) => {
      if (mostFailures === 0) return;
      const holder = holderOfAddress(address);
      putLast(failures, holder, [...recent(holder, now), now].slice(-mostFailures));
      forgetOldest(failures, mostAddresses);
    },
    succeeded: (attempt, now) => {
      if (mostFailures === 0) return;
      putLast(known, keyOf(attempt), now);
      forgetOldest(known, mostKnown);
    },
  };
}

/** Throws `too_many_attempts` while the address has to wait. */
export function assertMayTry(limit: AttemptLimit, attempt: Attempt, now: number): void {
  const retryAfterMs = limit.waitMs(attempt, now);
  if (retryAfterMs !== null) throw new WardenError('too_many_attempts', { retryAfterMs });
}

const keyOf = ({ address, token }: Attempt): string => `${holderOfAddress(address)} ${hash('sha256', token, 'base64')}`;

function putLast<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}
