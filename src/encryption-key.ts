/** Where the gateway's own encryption keys come from: the configuration, else a file that is generated once. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseEncryptionKeys } from './config-encryption.ts';
import { ValueProblem } from './config-variables.ts';
import type { Logger } from './log.ts';
import { readSecret, writeSecret } from './secrets.ts';
import type { MasterKeySource } from './store/open-vault.ts';
import type { MasterKey } from './store/master-keys.ts';

/** A key that is configured wins over the file. Reading throws when the file holds something else than a key. */
export function encryptionKeySource(
  config: { readonly storagePath: string; readonly encryptionKey: readonly MasterKey[] | null },
  log: Logger,
): MasterKeySource {
  const folder = join(config.storagePath, 'secrets');
  const path = join(folder, 'encryption-key');
  return {
    read: async () => {
      if (config.encryptionKey !== null) return config.encryptionKey;
      const kept = await readSecret(path);
      return kept === null ? null : parsed(kept, path);
    },
    generate: async () => {
      const key = randomBytes(32).toString('base64');
      await writeSecret(folder, path, key);
      log.warn(
        { path },
        'an encryption key was generated: keep a copy in a secret store, and never beside backups of the database; without it they cannot be read',
      );
      const [made] = parsed(key, path);
      if (made === undefined) throw new TypeError('a generated key is none');
      return made;
    },
  };
}

function parsed(text: string, path: string): readonly MasterKey[] {
  try {
    return parseEncryptionKeys(text);
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    throw new Error(`${path} ${error.message}`, { cause: error });
  }
}
