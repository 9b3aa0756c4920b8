/**
 * What a Postgres that died, or outlived its gateway, left behind. Postgres itself only asks whether some process of
 * the same user lives under the number in its pid file; in a user namespace every process of root counts as one, so
 * that a stale file blocks it for good.
 */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../log.ts';

const run = promisify(execFile);

/**
 * Makes the data folder free to start on. The caller holds the folder's lock: a Postgres that still runs on it has
 * lost its gateway and is stopped. Throws when it does not stop.
 */
export async function clearPostmaster(dataFolder: string, log: Logger): Promise<void> {
  const path = join(dataFolder, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return;
  const pid = Number.parseInt(text, 10);
  if (!Number.isInteger(pid) || pid <= 1 || !(await isPostmasterOf(pid, dataFolder))) {
    log.info({ pid }, 'removing a stale postgres pid file');
    await rm(path, { force: true });
    return;
  }
  log.warn({ pid }, 'stopping a postgres that outlived its gateway');
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone already, or belongs to somebody else: the wait tells.
    }
    if (await isGone(pid, dataFolder)) {
      await rm(path, { force: true });
      return;
    }
  }
  throw new Error(`a postgres with process id ${pid} uses ${dataFolder} and does not stop`);
}

async function isGone(pid: number, dataFolder: string): Promise<boolean> {
  const endAt = performance.now() + 10_000;
  while (performance.now() < endAt) {
    if (!(await isPostmasterOf(pid, dataFolder))) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

async function isPostmasterOf(pid: number, dataFolder: string): Promise<boolean> {
  const words = await commandLine(pid);
  return words.includes('postgres') && words.includes(dataFolder);
}

/** Empty when there is no such process. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').then(
      (text) => text.replaceAll('\0', ' '),
      () => '',
    );
  }
  return run('ps', ['-o', 'args=', '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
