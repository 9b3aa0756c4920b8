/**
 * Children that outlived their supervisor. Each child leaves a record on disk for as long as it runs; at boot, what is
 * recorded by a supervisor that is gone, and still runs, is killed. Identity is (pid, start time, boot id): pids return.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from './proc.ts';

interface OrphanRecord {
  readonly child: ProcessIdentity;
  readonly supervisor: ProcessIdentity;
}

const sweepPollMs = 20;

export class OrphanRecords {
  readonly #folder: string;
  readonly #self: ProcessIdentity | null;

  constructor(storagePath: string) {
    this.#folder = join(storagePath, 'run', 'children');
    this.#self = identify(process.pid);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Notes a child at its spawn: written at once, since the supervisor may die in the next instant. */
  note(pid: number): void {
    const child = identify(pid);
    if (child === null || this.#self === null) return;
    const record: OrphanRecord = { child, supervisor: this.#self };
    writeFileSync(this.#path(pid), JSON.stringify(record), { mode: 0o600 });
  }

  forget(pid: number): void {
    rmSync(this.#path(pid), { force: true });
  }

  /** Kills what a former supervisor left behind, and resolves with how many, once they are gone or `deadlineMs` passed. */
  async sweep(deadlineMs: number): Promise<number> {
    const victims: ProcessIdentity[] = [];
    for (const name of readdirSync(this.#folder)) {
      const record = readRecord(join(this.#folder, name));
      const isForeign = record !== null && isAlive(record.supervisor) && record.supervisor.pid !== this.#self?.pid;
      if (isForeign) continue;
      if (record !== null && isAlive(record.child)) victims.push(record.child);
      rmSync(join(this.#folder, name), { force: true });
    }
    for (const victim of victims) kill(victim.pid);
    const end = performance.now() + deadlineMs;
    while (victims.some(isAlive) && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, sweepPollMs));
    }
    return victims.length;
  }

  #path(pid: number): string {
    return join(this.#folder, `${pid}.json`);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
}

function readRecord(path: string): OrphanRecord | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isOrphanRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isOrphanRecord(value: unknown): value is OrphanRecord {
  return isRecord(value) && isIdentity(value['child']) && isIdentity(value['supervisor']);
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    isRecord(value) &&
    Number.isSafeInteger(value['pid']) &&
    typeof value['startTime'] === 'string' &&
    typeof value['bootId'] === 'string'
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
