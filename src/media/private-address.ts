/** Which addresses a user-chosen URL may not lead to. No effects. */
import { BlockList, isIP, isIPv6 } from 'node:net';

const privateV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  // Documentation, here and below: nobody's in public, which is why private networks use them.
  ['192.0.2.0', 24],
  // Relays of 6to4.
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/**
 * Besides the private ranges all that can carry an IPv4 address inside: mapped, translated (RFC 2765), compatible, NAT64,
 * Teredo, 6to4; and what the IANA registry of special-purpose addresses says is not globally reachable.
 */
const privateV6: readonly (readonly [string, number])[] = [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

export interface AddressPolicy {
  /** Whether the gateway may connect to this IP literal (no brackets). What is not an IP literal may not be reached. */
  mayReach(address: string): boolean;
}

/**
 * Refuses private, loopback, link-local, multicast and reserved addresses, except those inside `allowCidrs`
 * (`10.0.0.0/8`, `fd00::/8`, a bare address). Throws a plain Error that names a CIDR that is none.
 */
export function createAddressPolicy(allowCidrs: readonly string[]): AddressPolicy {
  const deny = listsOf([...privateV4, ...privateV6]);
  const allow = listsOf(allowCidrs.map(parseCidr));
  return {
    mayReach: (address) => isIP(address) !== 0 && (contains(allow, address) || !contains(deny, address)),
  };
}

// One list per family: BlockList matches IPv4 addresses against IPv6 ranges of mapped addresses, so that ::ffff:0:0/96
// in a common list would refuse all of IPv4.
interface Lists {
  readonly v4: BlockList;
  readonly v6: BlockList;
}

function listsOf(ranges: readonly (readonly [string, number])[]): Lists {
  const lists: Lists = { v4: new BlockList(), v6: new BlockList() };
  for (const [network, prefix] of ranges) {
    if (isIPv6(network)) lists.v6.addSubnet(network, prefix, 'ipv6');
    else lists.v4.addSubnet(network, prefix, 'ipv4');
  }
  return lists;
}

function contains(lists: Lists, address: string): boolean {
  return isIPv6(address) ? lists.v6.check(address, 'ipv6') : lists.v4.check(address, 'ipv4');
}

function parseCidr(text: string): readonly [string, number] {
  const [network = '', prefixText, ...rest] = text.trim().split('/');
  const family = isIP(network);
  const widest = family === 6 ? 128 : 32;
  const prefix = prefixText === undefined ? widest : Number(prefixText);
  const isPrefix = prefixText === undefined || /^\d{1,3}$/.test(prefixText);
  if (family === 0 || rest.length > 0 || !isPrefix || prefix > widest) {
    throw new Error(`${JSON.stringify(text)} is not a network such as 10.0.0.0/8`);
  }
  return [network, prefix];
}
