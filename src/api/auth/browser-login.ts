/**
 * Who a browser is. Its cookie holds 256 random bits; the store holds their keyed digest, who signed in, and when. A form
 * token is derived from the cookie, so that nothing more has to be kept.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { BrowserSessionsStore } from '../../store/browser-sessions.ts';
import type { Authenticator, Principal } from './principal.ts';

export interface Browser {
  readonly principal: Principal;
  /** Goes into every form, and into the `x-csrf-token` header of scripts. */
  readonly formToken: string;
}

export interface BrowserLogin {
  /** The value for the cookie, and who the browser is from now on. */
  signIn(principal: Principal): Promise<{ readonly cookie: string; readonly browser: Browser }>;
  /** Null for a cookie that is unknown, too old, or of somebody whose token is gone. */
  recognise(cookie: string): Promise<Browser | null>;
  signOut(cookie: string): Promise<void>;
  isFormToken(browser: Browser, given: string): boolean;
}

interface BrowserLoginOptions {
  readonly store: BrowserSessionsStore;
  readonly auth: Pick<Authenticator, 'principalOf'>;
  /** Keys the digests of cookies, and the form tokens: another one signs every browser out. */
  readonly secret: string;
  readonly idleMs: number;
  readonly lifetimeMs: number;
  readonly clock: Clock;
}

const cookieBytes = 32;
const cookiePattern = /^[A-Za-z0-9_-]{43}$/;
/** Being seen is written down no more often than this. */
const touchMs = 60_000;

export function createBrowserLogin(options: BrowserLoginOptions): BrowserLogin {
  const { store, auth, secret, idleMs, lifetimeMs, clock } = options;
  const formTokenOf = (cookie: string): string =>
    createHmac('sha256', secret).update(`form ${cookie}`, 'utf8').digest('base64url');
  const digestOf = (cookie: string): Buffer => createHmac('sha256', secret).update(`cookie ${cookie}`, 'utf8').digest();

  return {
    signIn: async (principal) => {
      const cookie = randomBytes(cookieBytes).toString('base64url');
      const now = clock.now();
      await store.deleteOlder({ lastSeenBefore: now - idleMs, createdBefore: now - lifetimeMs });
      await store.create(digestOf(cookie), principal.id, now);
      return { cookie, browser: { principal, formToken: formTokenOf(cookie) } };
    },
    recognise: async (cookie) => {
      if (!cookiePattern.test(cookie)) return null;
      const digest = digestOf(cookie);
      const row = await store.find(digest);
      if (row === null) return null;
      const now = clock.now();
      if (now - row.lastSeenAt >= idleMs || now - row.createdAt >= lifetimeMs) {
        await store.delete(digest);
        return null;
      }
      const principal = await auth.principalOf(row.principal);
      if (principal === null) return null;
      if (now - row.lastSeenAt >= touchMs) await store.touch(digest, now);
      return { principal, formToken: formTokenOf(cookie) };
    },
    signOut: (cookie) => store.delete(digestOf(cookie)),
    isFormToken: ({ formToken }, given) => {
      const [expected, actual] = [Buffer.from(formToken), Buffer.from(given)];
      return expected.length === actual.length && timingSafeEqual(expected, actual);
    },
  };
}
