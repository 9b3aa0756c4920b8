/** Caches that outlive a socket, with a bound and a time to live; the library's own forget after minutes. */
import { trusted } from '../../contract/trusted.ts';
import type { CacheStore, PossiblyExtendedCacheStore } from '@whiskeysockets/baileys';

interface Entry {
  readonly value: unknown;
  readonly expiresAt: number;
}

/**
 * A bounded cache with one time to live. The device lists of contacts live a day: each refresh makes the library start
 * new Signal sessions with all of a contact's devices, and WhatsApp announces changes by itself.
 */
export function createCache(maxEntries: number, ttlMs: number): CacheStore & PossiblyExtendedCacheStore {
  const entries = new Map<string, Entry>();
  const read = (key: string): unknown => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt > performance.now()) return entry.value;
    entries.delete(key);
    return undefined;
  };
  const write = (key: string, value: unknown): void => {
    entries.delete(key);
    entries.set(key, { value, expiresAt: performance.now() + ttlMs });
    if (entries.size <= maxEntries) return;
    const oldest = entries.keys().next();
    if (oldest.done !== true) entries.delete(oldest.value);
  };
  return {
    // The library names the type of what it put in itself.
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is the library's
    get: <T>(key: string): T | undefined => trusted<T | undefined>(read(key)),
    set: write,
    del: (key) => {
      entries.delete(key);
    },
    flushAll: () => entries.clear(),
    mget: async <T>(keys: string[]): Promise<Record<string, T | undefined>> =>
      Object.fromEntries(keys.map((key) => [key, trusted<T | undefined>(read(key))])),
    mset: (pairs) => {
      for (const { key, value } of pairs) write(key, value);
    },
    mdel: (keys) => {
      for (const key of keys) entries.delete(key);
    },
  };
}
