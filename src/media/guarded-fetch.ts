/**
 * HTTP to user-chosen addresses without becoming a way into the gateway's own network: the URL is checked, then every
 * address that its name resolves to, and at last the peer that the socket really reached.
 */
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { WardenError } from '../contract/errors.ts';
import type { AddressPolicy } from './private-address.ts';

/** Ports from 1024 on that speak for databases, file shares and remote desktops, never for a web server. */
const deniedPorts: ReadonlySet<number> = new Set([
  2049, 2375, 2376, 3306, 3389, 5432, 5900, 6000, 6379, 9200, 10250, 11211, 27017,
]);

export interface GuardOptions {
  readonly policy: AddressPolicy;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** In place of the system's resolver. */
  readonly resolve?: typeof resolveName;
}

/**
 * An undici dispatcher that connects only where the policy allows. Node never asks a custom lookup about IP literals, so
 * the literal is checked apart; checking at connect time defeats names whose address changes between check and use.
 * Requests fail with `unprocessable`. The caller closes it.
 */
export function createGuardedAgent(options: GuardOptions): Agent {
  const { policy, resolve = resolveName } = options;
  const lookup = guardedLookup(policy, resolve);
  const connectBase = buildConnector({ timeout: options.connectTimeoutMs, lookup });
  const connect: buildConnector.connector = (target, done) => {
    const host = withoutBrackets(target.hostname);
    if (isIP(host) !== 0 && !policy.mayReach(host)) {
      queueMicrotask(() => done(refusal(), null));
      return;
    }
    connectBase(target, (...outcome) => {
      const [error, socket] = outcome;
      if (error !== null) return done(error, null);
      if (!policy.mayReach(socket.remoteAddress ?? '')) {
        socket.destroy();
        return done(refusal(), null);
      }
      done(null, socket);
    });
  };
  return new Agent({ connect, headersTimeout: options.headersTimeoutMs, bodyTimeout: options.bodyTimeoutMs });
}

/**
 * What speaks against fetching a URL before any connection is made, as a sentence, or null. Numeric forms of an address
 * (`2130706433`, `0x7f.1`) are literals after URL parsing and judged as such.
 */
export function urlObjection(text: string, policy: AddressPolicy): string | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return 'an http or https URL';
  if (url.username !== '' || url.password !== '') return 'a URL without user name and password';
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if ((port < 1024 && port !== 80 && port !== 443) || deniedPorts.has(port)) return 'a URL with a port of web servers';
  const host = withoutBrackets(url.hostname);
  if (isIP(host) !== 0 && !policy.mayReach(host)) return 'a URL with a public address';
  if (/^(?:.*\.)?localhost\.?$/i.test(host)) return 'a URL with a public address';
  return null;
}

function guardedLookup(policy: AddressPolicy, resolve: typeof resolveName): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      if (error !== null) return done(error, []);
      const [first] = found;
      if (first === undefined || found.some(({ address }) => !policy.mayReach(address))) return done(refusal(), []);
      if (options.all === true) return done(null, found);
      done(null, first.address, first.family);
    });
  };
}

const withoutBrackets = (host: string): string => host.replace(/^\[|\]$/g, '');

const refusal = (): WardenError =>
  new WardenError('unprocessable', {
    message: 'The URL leads to a private address; OUTBOUND_ALLOW_CIDR names the ones that may be reached.',
  });
