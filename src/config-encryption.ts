/** The variable that holds the gateway's own keys, and how it is read. */
import { createHash } from 'node:crypto';
import { ValueProblem, variable, type Variable } from './config-variables.ts';
import type { MasterKey } from './store/master-keys.ts';

const keyBytes = 32;
const fewestDifferentBytes = 8;
const shortestForm = /^(?:[0-9a-f]{64}|[A-Za-z0-9+/_-]{43}=?)$/i;

/** What the database calls a key that has no name: a digest, so that a wrong key can be told from the right one. */
export function nameOfKey(bytes: Uint8Array): string {
  return createHash('sha256').update('warden encryption key').update(bytes).digest('hex').slice(0, 12);
}

/** `<key>`, or `<id>:<key>` with commas between them; a key is 32 bytes in base64 or hex. Throws a ValueProblem. */
export function parseEncryptionKeys(text: string): readonly MasterKey[] {
  const keys = text.split(',').map((part) => parseKey(part.trim()));
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    throw new ValueProblem('must not have two keys of the same id');
  }
  return keys;
}

function parseKey(part: string): MasterKey {
  const [, id, key = ''] = /^(?:([A-Za-z0-9._-]{1,32}):)?(.*)$/s.exec(part) ?? [];
  if (!shortestForm.test(key)) {
    throw new ValueProblem(
      'must be 32 bytes in base64 or hex, or a list of such keys with ids: new:<key>,old:<key>; ' +
        '`openssl rand -base64 32` makes one',
    );
  }
  const bytes = Buffer.from(key, key.length === 2 * keyBytes ? 'hex' : 'base64');
  if (bytes.length !== keyBytes) throw new ValueProblem('must be 32 bytes in base64 or hex');
  if (new Set(bytes).size < fewestDifferentBytes) throw new ValueProblem('must be random bytes');
  return { id: id ?? nameOfKey(bytes), bytes };
}

export const encryptionVariables: { readonly encryptionKey: Variable<readonly MasterKey[]> } = {
  encryptionKey: variable(
    'key, or list of id:key',
    {
      name: 'ENCRYPTION_KEY',
      isSecret: true,
      sentence:
        'Encrypts credentials and Signal keys in the database: 32 bytes in base64 or hex; of a list the first encrypts and all decrypt. Generated and kept when absent.',
    },
    parseEncryptionKeys,
  ),
};
