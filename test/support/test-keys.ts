/** Encryption keys of tests: always the same, so that stores on one database understand each other. */
import { createHash } from 'node:crypto';
import type { MasterKey } from '../../src/store/master-keys.ts';
import type { MasterKeySource } from '../../src/store/open-vault.ts';

export function testKey(id: string): MasterKey {
  return { id, bytes: createHash('sha256').update(`test key ${id}`).digest() };
}

/** How the key is written in ENCRYPTION_KEY. */
export const keyText = ({ id, bytes }: MasterKey): string => `${id}:${Buffer.from(bytes).toString('base64')}`;

export function testKeys(...ids: readonly string[]): MasterKeySource {
  const keys = (ids.length === 0 ? ['test'] : ids).map(testKey);
  return {
    read: async () => keys,
    generate: () => Promise.reject(new Error('tests have keys')),
  };
}
