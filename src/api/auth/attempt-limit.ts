/** Slows guessing down: how often an address may fail before it has to wait. Pure but for its own memory. */

export interface AttemptLimit {
  /** Milliseconds that this address has to wait before its next attempt; null when it may go on. */
  waitMs(address: string, now: number): number | null;
  failed(address: string, now: number): void;
  succeeded(address: string): void;
}

const windowMs = 60_000;
const mostFailures = 10;
/** Beyond so many addresses the oldest are forgotten: memory stays bounded under a flood. */
const mostAddresses = 10_000;

export function createAttemptLimit(): AttemptLimit {
  const failures = new Map<string, readonly number[]>();
  const recent = (address: string, now: number): readonly number[] =>
    (failures.get(address) ?? []).filter((at) => now - at < windowMs);
  return {
    waitMs: (address, now) => {
      const [oldest, ...others] = recent(address, now).slice(-mostFailures);
      return oldest === undefined || others.length < mostFailures - 1 ? null : oldest + windowMs - now;
    },
    failed: (address, now) => {
      const kept = [...recent(address, now), now].slice(-mostFailures);
      failures.delete(address);
      failures.set(address, kept);
      for (const oldest of failures.keys()) {
        if (failures.size <= mostAddresses) break;
        failures.delete(oldest);
      }
    },
    succeeded: (address) => void failures.delete(address),
  };
}
