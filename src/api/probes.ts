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

/** Answers /livez and /readyz, and leaves everything else to `next`. */
export function withProbes(readiness: () => Promise<readonly ReadinessCheck[]>, next: Listener): Listener {
  return (request, response) => {
    const [path, query = ''] = (request.url ?? '').split('?', 2);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path === '/livez' && isRead) return answer(response, 200, 'ok');
    if (path !== '/readyz' || !isRead) return next(request, response);
    return readiness().then(
      (checks) => {
        const isReady = checks.every(({ problem }) => problem === null);
        const lines = checks
          .filter(({ problem }) => problem !== null || new URLSearchParams(query).has('verbose'))
          .map(({ name, problem }) => (problem === null ? `[+]${name}: ok` : `[-]${name}: ${problem}`));
        answer(response, isReady ? 200 : 503, [...lines, isReady ? 'ok' : 'not ready'].join('\n'));
      },
      () => answer(response, 503, 'not ready'),
    );
  };
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
