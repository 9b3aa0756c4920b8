/** Lets nobody ask for more than is theirs, and tells how much is left. */
import type { Clock } from '../../clock.ts';
import { WardenError } from '../../contract/errors.ts';
import type { SessionId } from '../../contract/ids.ts';
import { holderOfAddress } from '../auth/allowed-address.ts';
import { addressOf } from '../caller.ts';
import { Buckets } from '../limits/buckets.ts';
import type { LimitSettings } from '../limits/limit-settings.ts';
import { policyField, policyItem, stateField, stateItem } from '../limits/rate-limit-fields.ts';
import type { BucketPolicy } from '../limits/token-bucket.ts';
import { opensStream } from '../media-paths.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';
import { isApiPath, isDashboardPath } from './identify.ts';

export interface RequestLimits {
  /** For what is answered to anybody. */
  strangers(): RequestMiddleware;
  /** For what is asked of the API and the dashboard, once it is known by whom. */
  callers(): RequestMiddleware;
  /** Counts a request of somebody unknown; throws `rate_limited`. */
  ofStranger(ctx: RequestContext): void;
  /** Counts a request about a session, by who may make it; throws `rate_limited`. */
  ofSession(ctx: RequestContext, session: SessionId): void;
}

type Name = 'token' | 'stream' | 'session' | 'browser' | 'address';

const probePath = '/health';

export function createRequestLimits(settings: LimitSettings, clock: Pick<Clock, 'monotonic'>): RequestLimits {
  const buckets: Readonly<Record<Name, Buckets | null>> = {
    token: bucketsOf(settings.token),
    // Of openings: a client that is turned away while it reconnects would give up for good.
    stream: bucketsOf(settings.token),
    session: bucketsOf(settings.session),
    browser: bucketsOf(settings.browser),
    address: bucketsOf(settings.browser),
  };
  const count = (ctx: RequestContext, name: Name, key: string): void => {
    const limit = buckets[name];
    if (limit === null) return;
    const taking = limit.take(key, clock.monotonic());
    ctx.append(policyField, policyItem(name, limit.policy));
    ctx.append(stateField, stateItem(name, taking));
    if (!taking.isGranted)
      throw new WardenError('rate_limited', { message: sentences[name], retryAfterMs: taking.nextMs });
  };
  const countStranger = (ctx: RequestContext): void => count(ctx, 'address', holderOfAddress(addressOf(ctx)));
  return {
    strangers: () => async (ctx, next) => {
      if (!isApiPath(ctx.path) && !isDashboardPath(ctx.path) && ctx.path !== probePath) countStranger(ctx);
      await next();
    },
    callers: () => async (ctx, next) => {
      const { principal, browser } = ctx.state;
      if (principal === null) {
        if (isDashboardPath(ctx.path)) countStranger(ctx);
      } else if (opensStream(ctx.path)) count(ctx, 'stream', browser?.formToken ?? principal.id);
      else if (browser !== null) count(ctx, 'browser', browser.formToken);
      else count(ctx, 'token', principal.id);
      await next();
    },
    ofStranger: countStranger,
    ofSession: (ctx, session) => count(ctx, 'session', session),
  };
}

const bucketsOf = (policy: BucketPolicy | null): Buckets | null => (policy === null ? null : new Buckets(policy));

const wait = 'wait as long as Retry-After says.';
const sentences: Readonly<Record<Name, string>> = {
  token: `Too many requests with this token; ${wait}`,
  stream: `Too many event streams are opened with this token; ${wait}`,
  session: `Too many requests about this session; ${wait}`,
  browser: `Too many requests of this browser; ${wait}`,
  address: `Too many requests from this address; ${wait}`,
};
