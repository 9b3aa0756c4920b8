/** Where media and the authority's certificate lie on disk: in the state directory, or for the time of the process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface MediaFolder {
  readonly path: string;
  /** Absolute path of a PEM file. */
  readonly authorityPath: string;
  /** Removes what is not to outlive the process. */
  close(): void;
}

export function openMediaFolder(stateDirectory: string | null, authorityPem: string): MediaFolder {
  const path = stateDirectory === null ? mkdtempSync(join(tmpdir(), 'warden-simulator-')) : resolve(stateDirectory);
  const authorityPath = join(path, 'media-ca.pem');
  writeFileSync(authorityPath, authorityPem);
  return {
    path,
    authorityPath,
    close() {
      if (stateDirectory === null) rmSync(path, { recursive: true, force: true });
    },
  };
}
