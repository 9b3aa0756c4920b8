/** The HTTP API with which tests, benchmarks and the gateway's sandbox drive the simulator: loopback, one token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { errorCatalogue, toWardenError, WardenError } from '../contract/errors.ts';
import { logger } from '../log.ts';
import type { ControlAnswer, ControlRoute } from './types.ts';

const log = logger('simulator-control');
/** Requests may carry files; larger ones are named by their path. */
const maxBodyBytes = 32 * 1024 * 1024;

interface Match {
  readonly route: ControlRoute;
  readonly params: Record<string, string>;
}

export class ControlServer {
  readonly #tokenDigest: Buffer;
  readonly #routes: readonly ControlRoute[];
  readonly #http: Server;

  constructor(token: string, routes: readonly ControlRoute[]) {
    this.#tokenDigest = digest(token);
    this.#routes = routes.toSorted((a, b) => parameterCount(a) - parameterCount(b));
    this.#http = createServer((request, response) => void this.#serve(request, response));
  }

  /** Listens; answers the port. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#http.once('error', reject);
    this.#http.listen(port, host, resolve);
    await promise;
    const address = this.#http.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: ControlAnswer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      answer = failure(error);
    }
    const { contentType, bytes } = answer.file ?? {
      contentType: 'application/json; charset=utf-8',
      bytes: Buffer.from(JSON.stringify(answer.body), 'utf8'),
    };
    response.writeHead(answer.status, { 'content-type': contentType }).end(bytes);
  }

  async #answer(request: IncomingMessage): Promise<ControlAnswer> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    if (url.pathname === '/health') return { status: 200, body: { status: 'ok' } };
    const match = this.#match(request.method ?? 'GET', url.pathname);
    if (match === null || match.route.isPublic !== true) this.#authorize(request.headers.authorization);
    const { route, params } = match ?? this.#unmatched(url.pathname);
    return route.handle({ params, query: url.searchParams, body: await readJson(request) });
  }

  #authorize(header: string | undefined): void {
    const token = /^Bearer (.+)$/.exec(header ?? '')?.[1] ?? '';
    if (!timingSafeEqual(digest(token), this.#tokenDigest)) throw new WardenError('unauthorized');
  }

  #match(method: string, path: string): Match | null {
    for (const route of this.#routes) {
      const params = route.method === method ? matchPath(route.path, path) : null;
      if (params !== null) return { route, params };
    }
    return null;
  }

  #unmatched(path: string): never {
    const isOtherMethod = this.#routes.some((route) => matchPath(route.path, path) !== null);
    throw new WardenError(isOtherMethod ? 'method_not_allowed' : 'route_not_found');
  }
}

function failure(error: unknown): ControlAnswer {
  if (error instanceof z.ZodError) {
    const message = error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
    return { status: 400, body: { error: { type: 'invalid_request', message } } };
  }
  const known = toWardenError(error);
  if (known.code === 'internal_error') log.error({ err: error }, 'control request failed');
  const { status } = errorCatalogue[known.code];
  return { status, body: { error: { type: known.code, message: known.message } } };
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? '';
    if (segment.startsWith(':')) params[segment.slice(1)] = decodeSegment(value);
    else if (segment !== value) return null;
  }
  return params;
}

function decodeSegment(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new WardenError('invalid_request', { message: 'The path is not properly percent-encoded.' });
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    length += chunk.length;
    if (length > maxBodyBytes) throw new WardenError('payload_too_large');
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new WardenError('invalid_json');
  }
}

function parameterCount(route: ControlRoute): number {
  return route.path.split(':').length;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
