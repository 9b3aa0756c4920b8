/** Pure: which reverse proxies are believed, and who and what a request is by their word. */
import { BlockList, isIP } from 'node:net';
import { plainAddress } from './allowed-address.ts';

export type TrustedProxies =
  /** Nobody stands in front: forwarding headers are anybody's invention. */
  | { readonly tag: 'none' }
  /** So many proxies stand in front of the gateway, and nothing else reaches it. */
  | { readonly tag: 'hops'; readonly count: number }
  /** Addresses and networks of the proxies. */
  | { readonly tag: 'networks'; readonly networks: readonly string[] };

/** Who asks, as far as it is known. */
export interface Client {
  readonly address: string;
  /** Whether it came by TLS, to a proxy that is believed. */
  readonly isSecure: boolean;
}

export interface Arrival {
  /** Of the peer of the connection; undefined when it is gone. */
  readonly peer: string | undefined;
  /** The X-Forwarded-For header; empty when there is none. */
  readonly forwardedFor: string;
  /** The X-Forwarded-Proto header; empty when there is none. */
  readonly forwardedProto: string;
}

const mostHops = 20;

/** Null for a text that is neither a number of proxies nor a list of their addresses and networks. */
export function parseTrustedProxies(text: string): TrustedProxies | null {
  if (/^\d{1,2}$/.test(text)) {
    const count = Number(text);
    if (count > mostHops) return null;
    return count === 0 ? { tag: 'none' } : { tag: 'hops', count };
  }
  const networks = text.split(',').map((each) => each.trim());
  return networks.every(isNetwork) ? { tag: 'networks', networks } : null;
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Whether the peer of a connection may be a proxy that is believed. */
export function createProxyCheck(proxies: TrustedProxies): (address: string) => boolean {
  const isTrusted = trustIn(proxies);
  return (address) => isTrusted(address, 0);
}

/** Whether a proxy may stand at this address, that many proxies in front of the gateway. */
type IsTrusted = (address: string, hop: number) => boolean;

/**
 * Tells who makes a request. Every proxy writes whom it heard of behind what was there already, so the list is read from
 * its end, and only as long as who has written it is believed. What is no address ends it.
 */
export function createClientReader(proxies: TrustedProxies): (arrival: Arrival) => Client {
  const isTrusted = trustIn(proxies);
  return ({ peer = '', forwardedFor, forwardedProto }) => {
    const listed = forwardedFor.split(',');
    let address = plainAddress(peer);
    const isByProxy = isTrusted(address, 0);
    for (let hop = 0; isTrusted(address, hop); hop += 1) {
      const next = addressIn(listed.pop() ?? '');
      if (next === null) break;
      address = next;
    }
    const [proto = ''] = forwardedProto.split(',');
    return { address, isSecure: isByProxy && proto.trim().toLowerCase() === 'https' };
  };
}

function trustIn(proxies: TrustedProxies): IsTrusted {
  if (proxies.tag === 'none') return () => false;
  if (proxies.tag === 'hops') return (_address, hop) => hop < proxies.count;
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of proxies.networks) {
    const [base = '', bits] = network.split('/');
    const family = isIP(base) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) lists[family].addAddress(base, family);
    else lists[family].addSubnet(base, Number(bits), family);
  }
  return (address) => {
    const family = isIP(address);
    if (family === 0) return false;
    return family === 4 ? lists.ipv4.check(address, 'ipv4') : lists.ipv6.check(address, 'ipv6');
  };
}

/** Some proxies write the port behind the address, and brackets around one of IPv6. */
function addressIn(entry: string): string | null {
  const text = entry.trim();
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  const address = plainAddress(bare);
  return isIP(address) === 0 ? null : address;
}
