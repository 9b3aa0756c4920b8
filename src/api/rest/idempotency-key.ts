/** The Idempotency-Key of a request, and what tells one request from another. Pure. */
import { createHash } from 'node:crypto';
import type { Operation } from '../../contract/operation.ts';
import { describeReceived, invalidRequest } from './validation.ts';

export const keyHeader = 'Idempotency-Key';
export const replayedHeader = 'Idempotency-Replayed';

/** What a key may consist of. */
export const keyPattern = /^[\x21-\x7e]{1,255}$/;

/**
 * The key in a header's value: bare, or quoted as the structured field that draft-ietf-httpapi-idempotency-key-header
 * wants, with `\"` and `\\` inside. Null for what is neither.
 */
export function parseIdempotencyKey(value: string): string | null {
  const trimmed = value.trim();
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(trimmed)?.[1];
  if (quoted === undefined && trimmed.startsWith('"')) return null;
  const key = quoted === undefined ? trimmed : quoted.replaceAll(/\\(["\\])/g, '$1');
  return keyPattern.test(key) ? key : null;
}

/** The key that a request to an operation comes with; throws `invalid_request` when it is malformed, or missing though needed. */
export function requestKey(
  value: string | undefined,
  { idempotent }: Pick<Operation, 'idempotent'>,
  isRequired: boolean,
): string | null {
  if (idempotent === false) return null;
  if (value === undefined && !isRequired) return null;
  const key = value === undefined ? null : parseIdempotencyKey(value);
  if (key !== null) return key;
  const expected = '1 to 255 visible ASCII characters without spaces, bare or in double quotes';
  const received = describeReceived(value, keyHeader) ?? 'nothing';
  throw invalidRequest([{ field: keyHeader, expected, received }]);
}

/** A file that came with a request, as far as it tells one request from another. */
export interface UploadFacts {
  readonly sha256: string;
  readonly fileName: string | null;
}

/** SHA-256 in hex of what is asked for: of validated params, so that the order of fields and other forms of them do not count. */
export function fingerprintOf(params: unknown, upload: UploadFacts | null): string {
  const hash = createHash('sha256').update(canonicalJson(params));
  if (upload !== null) hash.update(canonicalJson([upload.sha256, upload.fileName]));
  return hash.digest('hex');
}

/** JSON with the fields of every object in order; what is undefined counts as absent. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}
