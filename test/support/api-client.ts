/** Speaks to a gateway over real HTTP, as a script of a user does. */
import { connect } from 'node:net';
import { Agent } from 'undici';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The parsed body, or null when it is no JSON. */
  readonly json: unknown;
}

export interface ApiRequest {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the client's token; null sends none. */
  readonly token?: string | null;
}

export interface ApiClient {
  /** `path` is sent as written, below the base URL: nothing is normalised. Of an event stream only the head is read. */
  call(method: string, path: string, options?: ApiRequest): Promise<ApiAnswer>;
  /** Writes bytes to a socket of its own and answers all that comes back. */
  raw(bytes: string): Promise<string>;
  close(): Promise<void>;
}

/** `onBody` hears of every body that is sent as JSON, and of every one that is answered. */
export function createApiClient(
  baseUrl: string,
  clientToken: string,
  onBody: (body: unknown) => void = () => undefined,
): ApiClient {
  const agent = new Agent({ keepAliveTimeout: 1000 });
  const { port } = new URL(baseUrl);
  return {
    call: async (method, path, options = {}) => {
      const { body, raw, headers = {}, token = clientToken } = options;
      onBody(body);
      const payload = raw ?? (body === undefined ? null : JSON.stringify(body));
      // Not the function that takes a URL: that one would tidy the path up.
      const answer = await agent.request({
        origin: baseUrl,
        path,
        method,
        body: payload,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(payload === null || raw !== undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      const isEndless = String(answer.headers['content-type']).startsWith('text/event-stream');
      if (isEndless) answer.body.on('error', () => undefined).destroy();
      const text = isEndless ? '' : await answer.body.text();
      const json = parse(text);
      onBody(json);
      return { status: answer.statusCode, headers: flat(answer.headers), text, json };
    },
    raw: (bytes) =>
      new Promise((resolve, reject) => {
        let received = '';
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
        socket.setEncoding('utf8');
        socket.on('data', (chunk: string) => (received += chunk));
        socket.on('error', reject);
        socket.on('close', () => resolve(received));
      }),
    close: () => agent.destroy(),
  };
}

/** The value at a path of keys in JSON; undefined where there is none. */
export function at(json: unknown, ...path: readonly (string | number)[]): unknown {
  let value: unknown = json;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map<string, unknown>(Object.entries(value)).get(String(key));
  }
  return value;
}

/** The names of a JSON object's fields, in order; none of anything else. */
export function keysOf(json: unknown): readonly string[] {
  return typeof json === 'object' && json !== null ? Object.keys(json) : [];
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
