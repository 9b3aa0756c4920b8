import type { BucketPolicy } from './token-bucket.ts';

/** How much anybody may ask for; null for no limit. */
export interface LimitSettings {
  /** Of each token. */
  readonly token: BucketPolicy | null;
  /** Of requests about each session, whoever makes them, without what it sends: that is paced. */
  readonly session: BucketPolicy | null;
  /** Of each signed-in browser, and of each address for what needs no login. */
  readonly browser: BucketPolicy | null;
  /** Wrong tokens of an address in a minute; 0 for no limit. */
  readonly failedLogins: number;
  /** Requests with a file that are read at the same time. */
  readonly uploads: { readonly most: number; readonly mostPerToken: number | null };
}
