/**
 * Starts processes that cannot outlive the supervisor or their memory cap. Where util-linux is there, `setpriv` ties a
 * process to the life of ours and `prlimit` has the kernel refuse memory beyond the cap.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { MemoryCaps } from './memory-policy.ts';

const run = promisify(execFile);
const toolFolders = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin'];

/** The wrappers that this machine offers; an absent one is null. */
export interface Wrappers {
  readonly setpriv: string | null;
  readonly prlimit: string | null;
}

/** Finds the wrappers by using them once: BusyBox has a setpriv without the option. */
export async function findWrappers(): Promise<Wrappers> {
  const works = async (name: string, args: readonly string[]): Promise<string | null> => {
    const path = toolFolders.map((folder) => `${folder}/${name}`).find(existsSync);
    if (path === undefined) return null;
    return run(path, [...args, '/bin/true'], { timeout: 5000 }).then(
      () => path,
      () => null,
    );
  };
  const [setpriv, prlimit] = await Promise.all([
    works('setpriv', ['--pdeathsig', 'KILL', '--']),
    works('prlimit', ['--data=1073741824', '--']),
  ]);
  return { setpriv, prlimit };
}

/** The command as it is really run. The wrappers replace themselves by it, so that the pid is its own. */
export function wrap(command: readonly string[], wrappers: Wrappers, dataBytes: number | null): readonly string[] {
  const { setpriv, prlimit } = wrappers;
  return [
    // The kernel's signal is tied to the thread that forked: spawn on the main thread only (prctl(2)).
    ...(setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--']),
    ...(prlimit === null || dataBytes === null ? [] : [prlimit, `--data=${dataBytes}`, '--']),
    ...command,
  ];
}

interface SpawnOptions {
  readonly entry: string;
  readonly flags: readonly string[];
  readonly caps: MemoryCaps;
  readonly wrappers: Wrappers;
  readonly environment: Readonly<Record<string, string>>;
  /** How often it is to say that it is well, at work and at rest. */
  readonly heartbeatMs: number;
  readonly restingHeartbeatMs: number;
  /** Whether it is to tell of each request in the log. */
  readonly isTalkative: boolean;
  /** Called when the process could not be started, or a message could not be sent. */
  readonly onError: (error: Error) => void;
}

/** glibc must be told before it starts: one arena, and large blocks given back. */
const mallocEnvironment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '16384',
  MALLOC_TRIM_THRESHOLD_: '16384',
  MALLOC_TOP_PAD_: '4096',
};

/**
 * Flags of a small child; docs/lean-child.md tells what each of them saves. Not --lite-mode and --jitless: without
 * WebAssembly there is no fetch.
 */
export const leanFlags: readonly string[] = [
  '--max-semi-space-size=1',
  '--single-threaded',
  '--no-sparkplug',
  '--bytecode-old-age=1',
  // The idle collection does its work, once and not every eight seconds.
  '--no-memory-reducer',
  '--expose-gc',
];

/** A child that hosts sessions, with an IPC channel and its stderr on a pipe. Its environment is only what is given. */
export function spawnChild(options: SpawnOptions): ChildProcess {
  const { entry, flags, caps, wrappers, environment, heartbeatMs, restingHeartbeatMs, onError } = options;
  const beats = [heartbeatMs, restingHeartbeatMs].map(String);
  const words = options.isTalkative ? ['talkative'] : [];
  const node = [process.execPath, `--max-old-space-size=${caps.heapMb}`, ...flags, entry, ...beats, ...words];
  const [command = process.execPath, ...args] = wrap(node, wrappers, caps.dataBytes);
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...environment, ...mallocEnvironment },
  });
  // Before anything else: an 'error' without a listener would end the supervisor.
  child.on('error', onError);
  return child;
}
