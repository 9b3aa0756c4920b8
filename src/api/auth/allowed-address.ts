/** Pure: whether somebody may come from an address. */
import { BlockList, isIP } from 'node:net';

/**
 * Whether an IP address lies in one of the networks (`10.0.0.0/8`, `fd00::/8`, or single addresses). None at all stand
 * for anywhere; what is no address lies nowhere.
 */
export function isAllowedAddress(address: string, networks: readonly string[]): boolean {
  if (networks.length === 0) return true;
  const family = familyOf(address);
  if (family === null) return false;
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits] = network.split('/');
    // A list checks addresses of IPv4 against networks of IPv6, too: each family by itself.
    if (familyOf(base) !== family) continue;
    if (bits === undefined) list.addAddress(base, family);
    else list.addSubnet(base, Number(bits), family);
  }
  return list.check(address, family);
}

/** An address of IPv4 in the form that it has on a socket of IPv6, as such. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Whom limits by address hold for: the address itself, of IPv6 its first 64 bits, since everybody has so many of those
 * that each request can come from another one.
 */
export function holderOfAddress(address: string): string {
  if (familyOf(address) !== 'ipv6') return address;
  const [head = '', tail] = address
    .replace(/%.*$/, '')
    .replace(/[\d.]+\.\d+$/, '0:0')
    .split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const family = isIP(address);
  if (family === 0) return null;
  return family === 4 ? 'ipv4' : 'ipv6';
}
