/**
 * How limits are told to clients: the fields `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers
 * (since its version 08, last seen: 11). Each is a list of quoted policy names with parameters. Pure.
 */
import type { BucketPolicy, Taking } from './token-bucket.ts';

export const policyField = 'RateLimit-Policy';
export const stateField = 'RateLimit';

/** `q` may be asked for within `w` seconds: what a bucket holds, and how long it takes to be filled. */
export function policyItem(name: string, { perSecond, burst }: BucketPolicy): string {
  return `"${name}";q=${burst};w=${Math.ceil(burst / perSecond)}`;
}

/** `r` are left, and `t` seconds from now there are more. */
export function stateItem(name: string, { left, nextMs }: Pick<Taking, 'left' | 'nextMs'>): string {
  return `"${name}";r=${left};t=${Math.max(1, Math.ceil(nextMs / 1000))}`;
}
