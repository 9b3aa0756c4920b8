/** Whether a request comes from a browser on the very machine that the gateway runs on, and from nowhere else. Pure. */
import { BlockList, isIP } from 'node:net';

export interface Visit {
  /** The address that the gateway listens on, as configured. */
  readonly listenHost: string;
  /** Of the peer of the connection; undefined when it is gone. */
  readonly remoteAddress: string | undefined;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const ownNames = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];
const harmlessSites = new Set([undefined, 'none', 'same-origin']);

/**
 * True only when the listener is bound to loopback, the peer is loopback, the Host header names this machine, no proxy
 * stands between, and no other web site has a hand in it. Behind Docker the peer is the bridge, never loopback.
 */
export function isLocalVisit({ listenHost, remoteAddress, httpVersion, headers }: Visit): boolean {
  const { host } = headers;
  return (
    // Proxies that say nothing of themselves still ask as no browser does: with HTTP/1.0, or for a single answer.
    httpVersion === '1.1' &&
    textOf(headers['connection'])?.toLowerCase() === 'keep-alive' &&
    isLoopbackHost(listenHost) &&
    isLoopback(remoteAddress ?? '') &&
    typeof host === 'string' &&
    ownNames.test(host) &&
    proxyHeaders.every((name) => headers[name] === undefined) &&
    harmlessSites.has(textOf(headers['sec-fetch-site']))
  );
}

/** Whether a URL leads to this machine by a name of its own. */
export const isLocalUrl = (url: string): boolean => ownNames.test(URL.parse(url)?.host ?? '');

/** Whether a listener there is reached from this machine only. */
export const isLoopbackHost = (host: string): boolean => host === 'localhost' || isLoopback(host);

function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

const textOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value;
