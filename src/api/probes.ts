/**
 * Whether the process lives and whether it can work, for whoever starts and stops it. Answered before anything else is
 * there, so that a gateway that waits for its database can say so. The status code is the contract.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface ReadinessCheck {
  readonly name: string;
  /** Null when all is well. */
  readonly problem: string | null;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * Answers /livez and /readyz, and leaves everything else to `next`. `?verbose` lists the checks, `?exclude=<name>` leaves
 * one out, as the probes of the Kubernetes API server do; others follow by repeating it.
 */
export function withProbes(readiness: () => Promise<readonly ReadinessCheck[]>, next: Listener): Listener {
  return (request, response) => {
    const [path, query = ''] = (request.url ?? '').split('?', 2);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path === '/livez' && isRead) return answer(response, 200, 'ok');
    if (path !== '/readyz' || !isRead) return next(request, response);
    return readiness().then(
      (checks) => {
        const { isReady, text } = reportOf(checks, new URLSearchParams(query));
        answer(response, isReady ? 200 : 503, text);
      },
      () => answer(response, 503, 'not ready'),
    );
  };
}

function reportOf(checks: readonly ReadinessCheck[], query: URLSearchParams) {
  const isVerbose = query.has('verbose');
  const excluded = new Set(query.getAll('exclude'));
  const judged = checks.filter(({ name }) => !excluded.has(name));
  const unknown = [...excluded].filter((excludedName) => checks.every(({ name }) => name !== excludedName));
  const isReady = judged.every(({ problem }) => problem === null);
  const lines = checks.flatMap(({ name, problem }) => {
    if (excluded.has(name)) return isVerbose ? [`[+]${name}: excluded`] : [];
    if (problem !== null) return [`[-]${name}: ${problem}`];
    return isVerbose ? [`[+]${name}: ok`] : [];
  });
  const warning = unknown.length > 0 && isVerbose ? ['warn: there is no check of a name that is excluded'] : [];
  return { isReady, text: [...lines, ...warning, isReady ? 'ok' : 'not ready'].join('\n') };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(`${text}\n`),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(`${text}\n`);
}
