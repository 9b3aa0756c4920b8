/** The authority that the media host's certificate comes from, kept in the records so that trust in it lasts. */
import type { Records } from '../types.ts';
import { type Certified, newAuthority, newServerCertificate } from './x509.ts';

export interface MediaTrust {
  /** What clients must trust. */
  readonly authorityPem: string;
  /** Certificate chain and key of the server. */
  readonly serverChainPem: string;
  readonly serverKeyPem: string;
}

const KIND = 'media-authority';
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 730;

/** The authority of these records, made when there is none, and a new certificate for a host on loopback. */
export function mediaTrust(records: Records, host: string, nowMs: number): MediaTrust {
  const from = nowMs - DAY_MS;
  const authority = kept(records) ?? keep(records, newAuthority({ from, until: nowMs + AUTHORITY_DAYS * DAY_MS }));
  const server = newServerCertificate(authority, {
    addresses: [...new Set(['localhost', '127.0.0.1', '::1', host])],
    validity: { from, until: nowMs + SERVER_DAYS * DAY_MS },
  });
  return {
    authorityPem: authority.certificatePem,
    serverChainPem: server.certificatePem + authority.certificatePem,
    serverKeyPem: server.privateKeyPem,
  };
}

function kept(records: Records): Certified | null {
  const certificate = records.get(KIND, 'certificate');
  const key = records.get(KIND, 'key');
  if (certificate === undefined || key === undefined) return null;
  return {
    certificatePem: Buffer.from(certificate).toString('utf8'),
    privateKeyPem: Buffer.from(key).toString('utf8'),
  };
}

function keep(records: Records, authority: Certified): Certified {
  records.put(KIND, 'certificate', Buffer.from(authority.certificatePem));
  records.put(KIND, 'key', Buffer.from(authority.privateKeyPem));
  return authority;
}
