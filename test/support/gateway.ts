/** The real gateway for end-to-end tests: the process that `npm start` runs, on a folder, port and database of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { at, createApiClient, type ApiAnswer, type ApiClient } from './api-client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { freshLeanChild } from './lean-build.ts';
import { SecretsSeen } from './secrets-seen.ts';
import { keyText, testKey } from './test-keys.ts';

const entry = fileURLToPath(new URL('../../src/main.js', import.meta.url));
export const token = 'test-superadmin-token-0123456789';
const startTimeoutMs = 60_000;
const statusDeadlineMs = 45_000;

export interface GatewaySettings {
  /** Environment variables beside the test's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Null lets the gateway start its embedded database. */
  readonly database?: TestDatabase | null;
  /** Where its standard output goes: a descriptor, or a pipe that nobody reads until `readOutput`. */
  readonly stdout?: number | 'unread';
  /** A program of a test's own in place of the gateway's entry. */
  readonly program?: string;
  /** A command that runs what follows it, by the folder of the gateway's storage. */
  readonly wrapper?: (storagePath: string) => readonly string[];
}

export class GatewayUnderTest {
  readonly baseUrl: string;
  readonly storagePath: string;
  readonly api: ApiClient;
  readonly database: TestDatabase | null;
  readonly #env: Readonly<Record<string, string>>;
  readonly #command: readonly string[];
  readonly #stdout: number | 'unread' | 'pipe';
  readonly #ownsDatabase: boolean;
  readonly #seen = new SecretsSeen([token, keyText(testKey('test')).slice('test:'.length)]);
  #process: ChildProcess | null = null;
  #output = '';

  private constructor(
    port: number,
    storagePath: string,
    settings: Omit<GatewaySettings, 'database'> & {
      readonly database: TestDatabase | null;
      readonly ownsDatabase: boolean;
    },
  ) {
    const { wrapper = () => [], program = entry } = settings;
    this.#command = [...wrapper(storagePath), process.execPath, '--enable-source-maps', program];
    this.#stdout = settings.stdout ?? 'pipe';
    this.baseUrl = `http://127.0.0.1:${port}`;
    this.storagePath = storagePath;
    this.database = settings.database;
    this.#ownsDatabase = settings.ownsDatabase;
    this.api = createApiClient(this.baseUrl, token, (body) => this.#seen.see(body));
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      PORT: String(port),
      HOST: '127.0.0.1',
      WHATSAPP_STORAGE_PATH: storagePath,
      SUPERADMIN_TOKEN: token,
      // Tests open stores of their own on the same database.
      ENCRYPTION_KEY: keyText(testKey('test')),
      LOG_LEVEL: 'debug',
      // Tests ask faster than people do; those about limits set their own.
      RATE_LIMIT_PER_SECOND: '0',
      SESSION_RATE_LIMIT_PER_SECOND: '0',
      DASHBOARD_RATE_LIMIT_PER_SECOND: '0',
      ...(settings.database === null ? {} : { DATABASE_URL: settings.database.url }),
      ...settings.env,
    };
  }

  /** Starts a gateway and waits until it serves; dispose of it in `after`. */
  static async start(settings: GatewaySettings = {}): Promise<GatewayUnderTest> {
    await freshLeanChild();
    const storagePath = await mkdtemp(join(tmpdir(), 'warden-e2e-'));
    const ownsDatabase = settings.database === undefined;
    const database = settings.database === undefined ? await createTestDatabase() : settings.database;
    const gateway = new GatewayUnderTest(await freePort(), storagePath, {
      ...settings,
      database,
      ownsDatabase,
    });
    await gateway.boot();
    return gateway;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Everything that this gateway has printed, over all its starts. */
  get output(): string {
    return this.#output;
  }

  /** Starts the process again after `stop` or `kill`. */
  async boot(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const [command = process.execPath, ...args] = this.#command;
    const child = spawn(command, args, {
      env: { ...this.#env, ...env },
      cwd: this.storagePath,
      stdio: ['ignore', this.#stdout === 'unread' ? 'pipe' : this.#stdout, 'pipe'],
    });
    this.#process = child;
    this.#read(child.stderr);
    if (this.#stdout !== 'unread') this.#read(child.stdout);
    await eventually(
      async () => {
        if (child.exitCode !== null) return true;
        const answer = await this.api.call('GET', '/health', { token: null }).catch(() => null);
        return answer?.status === 200;
      },
      startTimeoutMs,
      () => this.#output.slice(-4000),
    );
    if (child.exitCode !== null) throw new Error(`the gateway ended while it started: ${this.#output.slice(-4000)}`);
  }

  /** Reads from now on what waits in a pipe that was left unread. */
  readOutput(): void {
    this.#read(this.#process?.stdout ?? null);
  }

  #read(stream: Readable | null): void {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /** Ends the process in order and answers its exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it and all that is its own; fails when it has written down what it must not. */
  async dispose(): Promise<void> {
    await this.stop();
    await this.api.close();
    try {
      this.#seen.requireNoneIn(this.#output);
      if (this.#ownsDatabase && this.database !== null) await this.#seen.requireNoneInTables(this.database);
    } finally {
      if (this.#ownsDatabase) await this.database?.dispose();
      await rm(this.storagePath, { recursive: true, force: true });
    }
  }

  get(path: string): Promise<ApiAnswer> {
    return this.api.call('GET', `/api/v1${path}`);
  }

  post(path: string, body: unknown = {}): Promise<ApiAnswer> {
    return this.api.call('POST', `/api/v1${path}`, { body });
  }

  delete(path: string): Promise<ApiAnswer> {
    return this.api.call('DELETE', `/api/v1${path}`);
  }

  /** Like `post`, and fails the test with the whole answer when the status is another. */
  async must(status: number, path: string, body: unknown = {}): Promise<unknown> {
    const answer = await this.post(path, body);
    if (answer.status !== status)
      throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}\n${this.#output.slice(-3000)}`);
    return answer.json;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }
}

/** A sandbox session that is paired and connected. */
export async function pairedSession(
  gateway: GatewayUnderTest,
  id: string,
  options: { readonly phone?: string; readonly webhook?: { readonly url: string; readonly secret?: string } } = {},
): Promise<{ readonly phone: string }> {
  const { webhook, phone } = options;
  await gateway.must(201, '/sessions', { id, sandbox: true, ...(webhook === undefined ? {} : { webhook }) });
  const paired = await gateway.must(200, `/sessions/${id}/sandbox/scan`, phone === undefined ? {} : { phone });
  await untilConnected(gateway, id);
  return { phone: String(at(paired, 'phone_number')) };
}

export function untilConnected(gateway: GatewayUnderTest, id: string): Promise<unknown> {
  return untilStatus(gateway, id, 'connected');
}

export function untilStatus(gateway: GatewayUnderTest, id: string, status: string): Promise<unknown> {
  let last: unknown;
  return eventually(
    async () => {
      last = (await gateway.get(`/sessions/${id}`)).json;
      return at(last, 'status') === status ? last : null;
    },
    statusDeadlineMs,
    () => ({ session: last, output: gateway.output.slice(-3000) }),
  );
}

/** The messages that a contact (or the account's own phone) has received and decrypted. */
export async function inbox(gateway: GatewayUnderTest, id: string, contact: string): Promise<readonly unknown[]> {
  const answer = await gateway.get(`/sessions/${id}/sandbox/inbox?contact=${encodeURIComponent(contact)}`);
  const messages: unknown = at(answer.json, 'messages');
  if (!isList(messages)) throw new Error(`no inbox: ${answer.status} ${answer.text}`);
  return messages;
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Fails unless the simulator found nothing wrong with the session. */
export async function requireCleanOracle(gateway: GatewayUnderTest, id: string): Promise<void> {
  const answer = await gateway.get(`/sessions/${id}/sandbox/oracle`);
  const unknown = at(answer.json, 'unknown_stanzas');
  const repeated = at(answer.json, 'repeated_ratchet_positions');
  const unfounded = at(answer.json, 'unfounded_confirmations');
  if (!Array.isArray(unknown) || unknown.length > 0 || repeated !== 0 || unfounded !== 0)
    throw new Error(`the oracle complains: ${answer.text}`);
}
