/** Starts a gateway on a folder of paired sessions, asks it things, looks at its processes, and ends it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ChildProgram } from '../src/gateway.ts';
import { trusted } from '../src/contract/trusted.ts';
import { at, createApiClient, type ApiClient } from '../test/support/api-client.ts';
import { processTree, type ProcessFacts } from './processes.ts';

const entry = fileURLToPath(new URL('./gateway-process.js', import.meta.url));
const token = 'bench-superadmin-token-0123456789';
const endTimeoutMs = 90_000;
const connectTimeoutMs = 180_000;
const pollMs = 100;

export interface GatewayOptions {
  readonly storagePath: string;
  readonly perChild: number;
  readonly children?: ChildProgram;
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of the supervisor's Node, beside those of the bench. */
  readonly nodeFlags?: readonly string[];
}

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class GatewayUnderBench {
  readonly api: ApiClient;
  readonly startedAtMs: number;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, port: number, startedAtMs: number) {
    this.#process = child;
    this.#ended = once(child, 'exit');
    this.api = createApiClient(`http://127.0.0.1:${port}`, token);
    this.startedAtMs = startedAtMs;
  }

  /** Answers as soon as the process is there; `whenServing` waits for its API. */
  static async start(options: GatewayOptions): Promise<GatewayUnderBench> {
    const port = await freePort();
    const startedAtMs = performance.now();
    const child = fork(entry, [JSON.stringify(options.children ?? {})], {
      env: {
        PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
        NODE_ENV: 'production',
        PORT: String(port),
        HOST: '127.0.0.1',
        WHATSAPP_STORAGE_PATH: options.storagePath,
        SUPERADMIN_TOKEN: token,
        SESSIONS_PER_CHILD: String(options.perChild),
        LOG_LEVEL: 'error',
        RATE_LIMIT_PER_SECOND: '0',
        SESSION_RATE_LIMIT_PER_SECOND: '0',
        ...options.env,
      },
      execArgv: [...startFlags(), ...(options.nodeFlags ?? [])],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const gateway = new GatewayUnderBench(child, port, startedAtMs);
    await Promise.race([
      once(child, 'message'),
      gateway.#ended.then(() => Promise.reject(new Error('the gateway ended while it started'))),
    ]);
    return gateway;
  }

  processes(): readonly ProcessFacts[] {
    return processTree(this.#process.pid ?? 0, 'supervisor');
  }

  /** The supervisor's event loop since its start; measured until asked once. */
  async loopDelay(): Promise<LoopDelay> {
    const answer = once(this.#process, 'message');
    this.#process.send('delay');
    // gateway-process.ts sends nothing else.
    return trusted<[LoopDelay]>(await answer)[0];
  }

  async get(path: string): Promise<unknown> {
    return (await this.api.call('GET', `/api/v1${path}`)).json;
  }

  /** Throws with the whole answer when the status is another. */
  async must(status: readonly number[], path: string, body: unknown): Promise<unknown> {
    const answer = await this.api.call('POST', `/api/v1${path}`, { body });
    if (!status.includes(answer.status)) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
    return answer.json;
  }

  /** Ids of all sessions with their status. */
  async statuses(): Promise<ReadonlyMap<string, string>> {
    const statuses = new Map<string, string>();
    let cursor: unknown = null;
    do {
      const page = await this.get(`/sessions?limit=200${typeof cursor === 'string' ? `&cursor=${cursor}` : ''}`);
      const sessions: unknown = at(page, 'sessions');
      if (!Array.isArray(sessions)) throw new Error('the gateway does not list its sessions');
      for (const each of sessions) statuses.set(String(at(each, 'id')), String(at(each, 'status')));
      cursor = at(page, 'next_cursor');
    } while (typeof cursor === 'string');
    return statuses;
  }

  /** Throws when not so many sessions are connected in time. */
  async untilConnected(count: number): Promise<void> {
    const deadline = performance.now() + connectTimeoutMs;
    for (;;) {
      const statuses = [...(await this.statuses()).values()];
      const open = statuses.filter((status) => status === 'connected').length;
      if (open >= count) return;
      if (performance.now() > deadline)
        throw new Error(`only ${open} of ${count} sessions are connected: ${statuses.join(', ')}`);
      await sleep(pollMs);
    }
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), endTimeoutMs);
    this.#process.kill('SIGTERM');
    await this.#ended;
    clearTimeout(timer);
    await this.api.close();
  }
}

/** The flags with which `npm start` runs a gateway. */
function startFlags(): string[] {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const flags = /"start": "node ((?:--\S+ )*)dist/.exec(text)?.[1];
  if (flags === undefined) throw new Error('package.json has no script start as the bench expects it');
  return flags.trim().split(' ');
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
