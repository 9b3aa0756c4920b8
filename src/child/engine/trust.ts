/**
 * Certificate authorities that this process trusts beside those of Node. To add one, all of Node's are read, which takes
 * more than a megabyte: a process that never speaks TLS does without.
 */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

const trusted = new Set<string>();
const expected = new Set<string>();

/** For all TLS of this process after `prepareTls`. Only a child whose sessions all share one target ever calls it. */
export function trustAuthority(pem: string): void {
  if (!trusted.has(pem)) expected.add(pem);
}

/** To be called before each TLS connection. */
export function prepareTls(): void {
  if (expected.size === 0) return;
  setDefaultCACertificates([...getCACertificates('default'), ...expected]);
  for (const pem of expected) trusted.add(pem);
  expected.clear();
}
