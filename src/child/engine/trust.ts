/** Certificate authorities that this process trusts beside those of Node. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

const trusted = new Set<string>();

/** For all TLS of this process from now on. Only a child whose sessions all share one target ever calls it. */
export function trustAuthority(pem: string): void {
  if (trusted.has(pem)) return;
  trusted.add(pem);
  setDefaultCACertificates([...getCACertificates('default'), pem]);
}
