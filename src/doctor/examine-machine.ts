/** Looks at the machine: disk, memory, descriptors, tools, files with secrets. Changes nothing that stays. */
import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { machineMemory } from '../supervisor/machine-memory.ts';
import { descriptorLimit } from '../supervisor/proc.ts';
import { findWrappers } from '../supervisor/spawn.ts';
import type { MachineFacts } from './facts.ts';

const megabyte = 1_048_576;

export async function examineMachine(config: Config, dotEnvPath: string): Promise<MachineFacts> {
  const { limitBytes, freeBytes, source } = machineMemory();
  const [storage, wrappers, secrets] = await Promise.all([
    examineStorage(config.storagePath),
    findWrappers(),
    examineSecrets(config.storagePath, dotEnvPath),
  ]);
  return {
    nodeVersion: process.version,
    platform: process.platform,
    storage,
    spoolQuotaBytes: config.spoolQuotaMb * megabyte,
    memory: { limitBytes, freeBytes, source },
    descriptorLimit: descriptorLimit(),
    wrappers,
    secrets,
  };
}

async function examineStorage(path: string): Promise<MachineFacts['storage']> {
  const present = await nearestThatExists(path);
  const problem = await access(present, constants.W_OK | constants.X_OK).then(() => null, reasonOf);
  const system = await statfs(present).catch(() => null);
  return {
    path,
    exists: present === path,
    problem,
    freeBytes: system === null ? null : system.bavail * system.bsize,
    // Some file systems make inodes as they need them, and count none.
    freeFiles: system === null || system.files === 0 ? null : system.ffree,
  };
}

async function nearestThatExists(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : nearestThatExists(dirname(path));
}

/** The folder of secrets, what lies in it, the password of the embedded database, and the file with variables. */
async function examineSecrets(storagePath: string, dotEnvPath: string): Promise<MachineFacts['secrets']> {
  const folder = join(storagePath, 'secrets');
  const names = await readdir(folder).catch(() => []);
  const paths = [
    folder,
    ...names.map((name) => join(folder, name)),
    join(storagePath, 'postgres', 'password'),
    dotEnvPath,
  ];
  const found = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mode }) => [{ path, mode: mode & 0o777 }],
        () => [],
      ),
    ),
  );
  return process.platform === 'win32' ? [] : found.flat();
}

/** What the system says of a failure, in a few words. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return 'for a reason that is not known';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  return code !== null && Object.hasOwn(reasons, code)
    ? (reasons[code] ?? code)
    : error.message.split('\n', 1)[0] || (code ?? error.name);
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the file system takes no writes',
  EADDRINUSE: 'another program has the port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name does not resolve at the moment',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
};
