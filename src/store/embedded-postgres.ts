/**
 * The Postgres that serves when no database is configured: starts it on a folder of its own, keeps it running, and
 * stops it with the gateway. It listens on loopback only, with a generated password.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import type { Logger } from '../log.ts';
import { connectionUrl } from './connection-url.ts';
import { lockFolder } from './folder-lock.ts';
import { postgresEnvironment, prepareCluster, superuser, type Cluster } from './postgres-cluster.ts';
import { clearPostmaster } from './postmaster-pid.ts';

export interface EmbeddedPostgres {
  readonly url: string;
  /** The process id of the server that runs now; null while it is being restarted. */
  pid(): number | null;
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Created when absent; everything of the database lies in it. */
  readonly folder: string;
  /** The database to serve; created when absent. */
  readonly database: string;
  readonly log: Logger;
  /** A free one is taken when absent. */
  readonly port?: number;
  readonly maxConnections?: number;
  /** False leaves flushing to the system, which survives a killed server but not a power cut: for tests. */
  readonly isDurable?: boolean;
  /** False does as if there were no user namespaces: for tests. */
  readonly allowsNamespaces?: boolean;
}

const readyTimeoutMs = 60_000;
const restartDelaysMs = [100, 500, 1_000, 2_000, 5_000];

/** Throws an error in words for people when it cannot start, or when another gateway uses the folder. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.folder);
  const unlock = await lockFolder(folder);
  try {
    const { log, isDurable = true, allowsNamespaces = true } = options;
    const cluster = await prepareCluster({ folder, log, isDurable, allowsNamespaces });
    const server = new Server(cluster, { ...options, isDurable }, options.port ?? (await freePort()));
    await server.start();
    const url = (database: string): string =>
      connectionUrl({ host: '127.0.0.1', port: server.port, user: superuser, password: cluster.password, database });
    try {
      await createDatabase(url('postgres'), options.database);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return {
      url: url(options.database),
      pid: () => server.pid,
      stop: async () => {
        await server.stop();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

interface ServerOptions {
  readonly log: Logger;
  readonly isDurable: boolean;
  readonly maxConnections?: number;
}

/** One server process at a time; one that ends unasked is started again on the same port. */
class Server {
  readonly port: number;
  private readonly cluster: Cluster;
  private readonly options: ServerOptions;
  private child: ChildProcess | null = null;
  private restarting: Promise<void> | null = null;
  private isStopping = false;

  constructor(cluster: Cluster, options: ServerOptions, port: number) {
    this.cluster = cluster;
    this.options = options;
    this.port = port;
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Retries what passes by itself: shared memory of a server that was killed a moment ago. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await clearPostmaster(this.cluster.dataFolder, this.options.log);
      const failure = await this.launch();
      if (failure === null) return;
      const isPassing = /still in use|already exists|is starting up/.test(failure);
      if (!isPassing || attempt === 20 || this.isStopping) {
        throw new Error(`the embedded database did not start: ${failure}`);
      }
      await pause(250);
    }
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.restarting;
    const child = this.child;
    if (child === null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (child.exitCode !== null || child.signalCode !== null) return;
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      child.kill(signal);
      if (await settlesWithin(exited, 10_000)) return;
      this.options.log.warn({ signal }, 'the embedded database did not stop');
    }
  }

  /** Answers null when the server is ready, else its last words. */
  private async launch(): Promise<string | null> {
    const { maxConnections = 40, isDurable, log } = this.options;
    const [program, ...args] = this.cluster.command('postgres', [
      '-D',
      this.cluster.dataFolder,
      '-p',
      String(this.port),
      ...settings({ maxConnections, isDurable }),
    ]);
    const child = spawn(program, args, {
      cwd: '/',
      env: postgresEnvironment,
      stdio: ['ignore', 'ignore', 'pipe'],
      // Out of the terminal's process group: Ctrl-C is for the gateway, which stops the database last.
      detached: true,
    });
    const lastLines: string[] = [];
    const ready = Promise.withResolvers<string | null>();
    child.once('error', (error) => ready.resolve(error.message));
    child.once('exit', (code, signal) => {
      ready.resolve(lastLines.join('\n') || `it ended with ${code ?? signal ?? 'nothing'}`);
      if (this.child === child) this.lost();
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > 10) lastLines.shift();
      log.debug({ line }, 'postgres');
      if (line.includes('ready to accept connections')) ready.resolve(null);
    });
    const timer = setTimeout(() => {
      ready.resolve(`it was not ready within ${readyTimeoutMs} ms`);
      child.kill('SIGKILL');
    }, readyTimeoutMs);
    const failure = await ready.promise;
    clearTimeout(timer);
    if (failure === null && child.exitCode === null && child.signalCode === null) this.child = child;
    return failure;
  }

  private lost(): void {
    this.child = null;
    if (this.isStopping) return;
    this.options.log.error('the embedded database ended unexpectedly, starting it again');
    this.restarting = this.restart().finally(() => (this.restarting = null));
  }

  private async restart(): Promise<void> {
    for (let attempt = 0; !this.isStopping; attempt += 1) {
      await pause(restartDelaysMs[Math.min(attempt, restartDelaysMs.length - 1)] ?? 0);
      if (this.isStopping) return;
      try {
        await this.start();
        this.options.log.info('the embedded database runs again');
        return;
      } catch (error) {
        this.options.log.error({ err: error }, 'the embedded database could not be started again');
      }
    }
  }
}

/** Small: one gateway with some ten connections. io_method is of Postgres 18. */
function settings(options: { readonly maxConnections: number; readonly isDurable: boolean }): readonly string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(options.maxConnections),
    shared_buffers: '16MB',
    jit: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_worker_processes: '2',
    max_parallel_workers: '0',
    max_logical_replication_workers: '0',
    autovacuum_max_workers: '1',
    io_method: 'sync',
    wal_buffers: '1MB',
    max_wal_size: '128MB',
    min_wal_size: '32MB',
    huge_pages: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements and rows hold messages and keys: the log must not repeat them.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...(options.isDurable ? {} : { fsync: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no free port was found')),
      );
    });
  });
}

const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs));

async function settlesWithin(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  const expired = Promise.withResolvers<false>();
  const timer = setTimeout(() => expired.resolve(false), timeoutMs);
  try {
    return await Promise.race([promise.then(() => true), expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
