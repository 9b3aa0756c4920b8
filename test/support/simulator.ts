/** The real simulator process for tests, as built in dist. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../src/simulator/main.js', import.meta.url));
const startTimeoutMs = 20_000;

export interface SimulatorAnswer {
  readonly status: number;
  /** The parsed JSON body. */
  readonly body: Record<string, unknown>;
}

export interface SimulatorProcess {
  readonly pid: number;
  readonly wsUrl: string;
  readonly controlUrl: string;
  readonly rootKeyHex: string;
  /** `https://…` of the media host. */
  readonly mediaUrl: string;
  /** PEM file with the media host's authority. */
  readonly mediaCaPath: string;
  readonly token: string;
  /** Everything that it has logged or written to standard error. */
  output(): string;
  /** Calls the control API; answers whatever the status is. */
  api(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<SimulatorAnswer>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

export interface SimulatorSettings {
  readonly port?: number;
  readonly controlPort?: number;
  readonly stateDirectory?: string;
  readonly token?: string;
  readonly preKeys?: 'real' | 'skip';
}

/** Starts a simulator on free ports; it dies with the test process. */
export async function startSimulator(settings: SimulatorSettings = {}): Promise<SimulatorProcess> {
  const args = ['--enable-source-maps', entry, '--exit-with-parent'];
  const option = (name: string, value: string | number | undefined) => {
    if (value !== undefined) args.push(`--${name}`, String(value));
  };
  option('port', settings.port ?? 0);
  option('control-port', settings.controlPort ?? 0);
  option('state', settings.stateDirectory);
  option('token', settings.token);
  option('prekeys', settings.preKeys);
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.on('error', () => undefined);
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const firstLine = Promise.withResolvers<string>();
  lines.once('line', (line) => {
    firstLine.resolve(line);
    lines.on('line', (logged) => {
      output += `${logged}\n`;
    });
  });
  void exited.then(() => firstLine.reject(new Error(`the simulator ended before it listened: ${output}`)));
  const timer = setTimeout(
    () => firstLine.reject(new Error(`the simulator does not start: ${output}`)),
    startTimeoutMs,
  );
  const facts: unknown = JSON.parse(await firstLine.promise.finally(() => clearTimeout(timer)));
  const fact = (name: string) => String(record(facts)[name]);
  const controlUrl = fact('control_url');
  const token = fact('token');
  return {
    pid: child.pid ?? 0,
    wsUrl: fact('ws_url'),
    controlUrl,
    rootKeyHex: fact('root_key'),
    mediaUrl: fact('media_url'),
    mediaCaPath: fact('media_ca'),
    token,
    output: () => output,
    async api(method, path, body) {
      const response = await fetch(controlUrl + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: record(await response.json()) };
    },
    async stop() {
      child.stdin.end();
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
