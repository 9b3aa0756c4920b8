/**
 * Runs the WhatsApp simulator for sandbox sessions: from the first one on, on the same ports after each of its ends, and
 * not longer than the gateway. Knows how to start it and where it listens, nothing of what it does.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { LinkTarget } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import { lowerPriority } from './proc.ts';
import { afterCrash, noFailures } from './restart-policy.ts';
import type { RestartPolicy } from './settings.ts';
import { parseAnnouncement, type Announcement } from './simulator-announcement.ts';
import { findWrappers, wrap } from './spawn.ts';
import { sleep } from './start-gate.ts';
import { StderrTail } from './stderr-tail.ts';

export interface SandboxOptions {
  /** Path of the simulator's entry; by default the one that is built beside this folder. */
  readonly entry?: string;
  readonly storagePath: string;
  readonly restart: RestartPolicy;
  /** How long it may take until it listens. */
  readonly readyTimeoutMs: number;
  /** The whole environment of its process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

export interface SandboxAnswer {
  readonly status: number;
  readonly body: unknown;
}

const builtEntry = fileURLToPath(new URL('../simulator/main.js', import.meta.url));
const controlDeadlineMs = 30_000;
const stopDeadlineMs = 3000;

export class SandboxLauncher {
  readonly #options: SandboxOptions;
  readonly #lifetime = new AbortController();
  #process: ChildProcess | null = null;
  #running: Promise<Announcement> | null = null;
  #last: Announcement | null = null;
  #failures = noFailures;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  /** Null while it does not run. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Where the link of a sandbox session goes; starts the simulator. Throws `sandbox_unavailable`. */
  async target(): Promise<LinkTarget> {
    const { wsUrl, rootKeyHex, mediaCaPath } = await this.#announcement();
    const caPem = mediaCaPath === null ? null : await readFile(mediaCaPath, 'utf8');
    return { url: wsUrl, rootKeyHex, caPem };
  }

  /**
   * Sends JSON to the simulator's control API and answers its status and JSON, whatever the status. Throws
   * `sandbox_unavailable` when it cannot be reached.
   */
  async control(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<SandboxAnswer> {
    const { controlUrl, token } = await this.#announcement();
    try {
      const answer = await fetch(new URL(path, controlUrl), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([this.#lifetime.signal, AbortSignal.timeout(controlDeadlineMs)]),
      });
      const text = await answer.text();
      const parsed: unknown = text === '' ? null : JSON.parse(text);
      return { status: answer.status, body: parsed };
    } catch (error) {
      throw new WardenError('sandbox_unavailable', {
        message: 'The simulator does not answer; repeat the request.',
        cause: error,
      });
    }
  }

  /** Ends the simulator, if it runs; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new WardenError('shutting_down'));
    await this.#running?.catch(() => null);
    const child = this.#process;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const kill = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    child.kill('SIGTERM');
    await gone;
    clearTimeout(kill);
  }

  async #announcement(): Promise<Announcement> {
    if (this.#lifetime.signal.aborted) throw new WardenError('shutting_down');
    this.#running ??= this.#launch().catch((error: unknown) => {
      this.#running = null;
      throw error;
    });
    return this.#running;
  }

  async #launch(): Promise<Announcement> {
    const { entry = builtEntry, storagePath, environment, log, readyTimeoutMs } = this.#options;
    const state = join(storagePath, 'sandbox');
    mkdirSync(state, { recursive: true, mode: 0o700 });
    // The ports stay the same: links that reconnect by themselves know no others.
    const [port, controlPort] =
      this.#last === null ? ['0', '0'] : [portOf(this.#last.wsUrl), portOf(this.#last.controlUrl)];
    const args = ['--port', port, '--control-port', controlPort, '--state', state, '--exit-with-parent'];
    const [command = process.execPath, ...rest] = wrap([process.execPath, entry, ...args], await findWrappers(), null);
    this.#lifetime.signal.throwIfAborted();
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...environment } });
    const stderr = new StderrTail(child.stderr);
    child.stdin.on('error', () => {});
    if (child.pid !== undefined) lowerPriority(child.pid);
    this.#process = child;
    child.on('error', (error) => {
      log.warn({ err: error }, 'simulator process reported an error');
      if (child.pid === undefined) this.#process = null;
    });
    const startedAt = this.#options.clock.monotonic();
    child.once('exit', (code, signal) => {
      this.#process = null;
      this.#running = null;
      if (this.#lifetime.signal.aborted) return;
      log.warn({ code, signal, stderr: stderr.read() }, 'simulator ended unexpectedly');
      if (this.#options.clock.monotonic() - startedAt >= this.#options.restart.resetMs) this.#failures = noFailures;
      void this.#returnLater();
    });
    const announcement = await heardFrom(child, readyTimeoutMs).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw new WardenError('sandbox_unavailable', {
        message: 'The simulator could not be started; see the log.',
        cause: error,
      });
    });
    this.#last = announcement;
    log.info({ pid: child.pid, url: announcement.wsUrl }, 'simulator runs');
    return announcement;
  }

  /** Never rejects: a failed start ends in another exit, or is tried again by whoever asks next. */
  async #returnLater(): Promise<void> {
    const { restart, clock, random, log } = this.#options;
    const { record, delayMs } = afterCrash(this.#failures, restart, { now: clock.monotonic(), random: random() });
    this.#failures = record;
    if (!(await sleep(delayMs, this.#lifetime.signal))) return;
    await this.#announcement().catch((error: unknown) =>
      log.warn({ err: error }, 'simulator could not be started again'),
    );
  }
}

export function createSandboxLauncher(options: SandboxOptions): SandboxLauncher {
  return new SandboxLauncher(options);
}

const portOf = (url: string): string => new URL(url).port;

/** The first line that it prints says where it listens; what follows is read and forgotten. */
function heardFrom(child: ChildProcess, deadlineMs: number): Promise<Announcement> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the simulator did not say where it listens')), deadlineMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`the simulator ended with code ${code ?? 'unknown'}`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const announcement = parseAnnouncement(line);
      if (announcement === null) return;
      clearTimeout(timer);
      resolve(announcement);
    });
  });
}
