/** A disk that is full, for the folder of one process alone. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Mounts so many kilobytes at the path in its first argument, and becomes the command in the others. */
const mountAndRun = 'mkdir -p "$0" && mount -t tmpfs -o size=64k,mode=700 tmpfs "$0" && exec "$@"';
const inNamespace = ['unshare', '--mount', '--user', '--map-root-user', 'sh', '-c', mountAndRun];

/** A wrapper that gives a gateway a media folder of 64 KB; null where the machine has no namespaces for users. */
export function smallMediaDisk(probeFolder: string): ((storagePath: string) => readonly string[]) | null {
  const [command = '', ...args] = inNamespace;
  const { status } = spawnSync(command, [...args, probeFolder, 'true'], { stdio: 'ignore' });
  return status === 0 ? (storagePath) => [...inNamespace, join(storagePath, 'media')] : null;
}
