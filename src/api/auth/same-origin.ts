/** Whether a request that a cookie vouches for was made by a page of ours. Pure. */

export interface OriginFacts {
  /** Of the Sec-Fetch-Site header; empty when the browser sends none. */
  readonly fetchSite: string;
  /** Of the Origin header; empty when there is none. */
  readonly origin: string;
  /** Scheme, name and port under which this request reached us. */
  readonly ownOrigins: readonly string[];
}

/** Browsers tell where a request comes from; one that tells nothing of it cannot change anything with a cookie. */
export function isSameOrigin({ fetchSite, origin, ownOrigins }: OriginFacts): boolean {
  if (fetchSite !== '') return fetchSite === 'same-origin';
  return origin !== '' && ownOrigins.includes(origin.toLowerCase());
}
