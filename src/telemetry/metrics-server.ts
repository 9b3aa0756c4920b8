/** The metrics on a port of their own, for networks in which that port is closed to everybody else. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';

interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly contentType: string;
  readonly render: () => Promise<string>;
  /** Whether a request with this Authorization header may see them. */
  readonly isAllowed: (authorization: string) => boolean;
}

/** Answers when it listens; throws when the port is taken. Close it with `closeMetricsServer`. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<Server> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    const [path] = (request.url ?? '').split('?', 1);
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      answer(response, 404, 'Metrics are at GET /metrics.\n');
      return;
    }
    if (!options.isAllowed(request.headers.authorization ?? '')) {
      response.setHeader('www-authenticate', 'Bearer');
      answer(response, 401, 'The metrics token is missing or wrong.\n');
      return;
    }
    options.render().then(
      (text) => {
        response.setHeader('content-type', options.contentType);
        answer(response, 200, text);
      },
      () => answer(response, 500, 'The metrics could not be read.\n'),
    );
  });
  server.maxConnections = 50;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  server.on('error', () => undefined);
  return server;
}

export async function closeMetricsServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.writeHead(status, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }).end(text);
}
